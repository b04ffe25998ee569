import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findModel } from '../../../sim/model/catalogue.ts';
import { shapeFromHfConfig } from '../../../sim/model/hf-config.ts';
import { CONFIG_FAMILIES } from '../../../sim/model/hf-families.ts';
import { summariseModel } from '../../../sim/model/quantities.ts';
import { InputError } from '../../../sim/scenario/input-error.ts';

type Config = Record<string, unknown>;

const FIXTURES = new URL('../../fixtures/hf/', import.meta.url);
const FIXTURE_NAMES = readdirSync(FIXTURES).map((file) => file.replace(/\.json$/, ''));

const FIXTURE_TEXTS = new Map(
  FIXTURE_NAMES.map((name) => [name, readFileSync(new URL(`${name}.json`, FIXTURES), 'utf8')]),
);

function fixture(name: string): Config {
  return JSON.parse(FIXTURE_TEXTS.get(name)!);
}

/** The fixture with fields changed; those set to undefined are left out. */
function changed(name: string, changes: Config): Config {
  return JSON.parse(JSON.stringify({ ...fixture(name), ...changes }));
}

function errorOf(config: unknown): InputError {
  try {
    shapeFromHfConfig(config, 'model');
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('a published config.json', () => {
  it.each(FIXTURE_NAMES)('of %s is read as the catalogue describes the model', (name) => {
    expect(shapeFromHfConfig(fixture(name), name)).toEqual(findModel(name));
  });

  it('is there for every family that can be read', () => {
    const types = FIXTURE_NAMES.map((name) => {
      const config = fixture(name);
      return ((config.text_config as Config | undefined) ?? config).model_type;
    });
    expect([...new Set(types)].sort()).toEqual([...CONFIG_FAMILIES.keys()].sort());
  });
});

describe('what a config leaves out', () => {
  it('is one key-value head per head, and a head width of hidden over heads', () => {
    const shape = shapeFromHfConfig(changed('llama-3.1-8b', { num_key_value_heads: undefined, head_dim: null }), 'm');
    expect([shape.kvHeads, shape.headDim]).toEqual([32, 128]);
  });

  it('is the window of Mistral, which null takes away', () => {
    const window = (sliding_window: unknown) =>
      shapeFromHfConfig(changed('mistral-7b', { sliding_window }), 'm').window;
    expect(window(undefined)).toEqual({ size: 4096, every: 0 });
    expect(window(null)).toBeUndefined();
  });

  it('is the alternating window of gpt-oss', () => {
    const shape = shapeFromHfConfig(changed('gpt-oss-20b', { layer_types: undefined, sliding_window: undefined }), 'm');
    expect(shape.window).toEqual({ size: 128, every: 2 });
  });

  it('is the compressed query of DeepSeek-V2, which null takes away', () => {
    const qRank = (q_lora_rank: unknown) =>
      shapeFromHfConfig(changed('deepseek-v2-lite', { q_lora_rank }), 'm').mla?.qRank;
    expect([qRank(undefined), qRank(null), qRank(768)]).toEqual([1536, 0, 768]);
  });

  it('is the type of a text part whose wrapper names the family', () => {
    const { model_type: _, ...text } = fixture('gemma-3-27b').text_config as Config;
    expect(shapeFromHfConfig(changed('gemma-3-27b', { text_config: text }), 'gemma-3-27b')).toEqual(
      findModel('gemma-3-27b'),
    );
  });

  it('is no longest context, where the family has none', () => {
    expect(shapeFromHfConfig(changed('llama-2-7b', { max_position_embeddings: undefined }), 'm')).not.toHaveProperty(
      'maxContextTokens',
    );
  });
});

describe('windowed layers', () => {
  const types = (pattern: string) =>
    [...pattern].map((letter) => (letter === 'w' ? 'sliding_attention' : 'full_attention'));

  it('are derived from layer_types', () => {
    const window = (pattern: string) =>
      shapeFromHfConfig(
        changed('qwen3-32b', {
          num_hidden_layers: pattern.length,
          layer_types: types(pattern),
          use_sliding_window: true,
          sliding_window: 1024,
        }),
        'm',
      ).window;
    expect(window('wwfwwfww')).toEqual({ size: 1024, every: 3 });
    expect(window('wwww')).toEqual({ size: 1024, every: 0 });
    expect(window('ffff')).toBeUndefined();
  });

  it('are refused where they are not all but every n-th', () => {
    const error = errorOf(changed('gpt-oss-20b', { num_hidden_layers: 6, layer_types: types('wfwwfw') }));
    expect(error.path).toBe('layer_types');
    expect(error.expected).toBe('a window in all layers or in all but every n-th');
    expect(
      errorOf(changed('qwen2.5-7b', { use_sliding_window: true, max_window_layers: 14, sliding_window: 4096 })).path,
    ).toBe('max_window_layers');
  });

  it('are refused where the list is not as long as the layers, names another kind, or has no window', () => {
    expect(errorOf(changed('gpt-oss-20b', { num_hidden_layers: 6 })).expected).toBe('a list of 6, one for each layer');
    expect(errorOf(changed('gpt-oss-20b', { num_hidden_layers: 1, layer_types: ['linear_attention'] }))).toMatchObject({
      path: 'layer_types',
      found: '["linear_attention"]',
      expected: 'only full_attention and sliding_attention',
    });
    expect(
      errorOf(changed('phi-4', { num_hidden_layers: 2, layer_types: types('ww'), sliding_window: undefined })),
    ).toMatchObject({ path: 'sliding_window', found: 'nothing' });
  });

  it('do not count where Qwen switches them off or the window is no shorter than the context', () => {
    expect(shapeFromHfConfig(changed('qwen2.5-7b', { sliding_window: 128 }), 'm').window).toBeUndefined();
    expect(shapeFromHfConfig(changed('mistral-7b', { sliding_window: 32768 }), 'm').window).toBeUndefined();
  });
});

describe('a config that cannot be read', () => {
  it('names every field that is missing', () => {
    expect(errorOf(changed('llama-2-7b', { hidden_size: undefined, vocab_size: null }))).toMatchObject({
      path: 'hidden_size',
      found: 'nothing (nor vocab_size)',
      expected:
        'the fields that this family needs: num_hidden_layers, hidden_size, num_attention_heads, intermediate_size, vocab_size',
    });
  });

  it('names the field of the text part', () => {
    expect(errorOf(changed('gemma-3-27b', { text_config: { model_type: 'gemma3_text' } })).path).toBe(
      'text_config.num_hidden_layers',
    );
  });

  it.each([
    ['hidden_size', '4096', '"4096"', 'a whole number from 1 to 131072'],
    ['num_hidden_layers', 0, '0', 'a whole number from 1 to 256'],
    ['vocab_size', 1.5, '1.5', 'a whole number from 1 to 4194304'],
    ['intermediate_size', 1e300, '1e+300', 'a whole number from 1 to 1048576'],
    ['tie_word_embeddings', 'yes', '"yes"', 'true or false'],
    ['num_key_value_heads', 5, '5', 'a divisor of the 32 heads'],
    ['hidden_size', 4097, '128.03125', 'a whole head width (4097 is no multiple of 32 heads)'],
  ])('names a wrong %s, what was found and what was expected', (field, value, found, expected) => {
    const error = errorOf(changed('llama-2-7b', { [field]: value }));
    expect(error).toMatchObject({ path: field, found, expected });
  });

  it('names experts that are not in the model', () => {
    expect(errorOf(changed('mixtral-8x7b', { num_experts_per_tok: 9 }))).toMatchObject({
      path: 'num_experts_per_tok',
      found: '9',
      expected: 'at most the 8 experts',
    });
    expect(errorOf(changed('deepseek-v3', { first_k_dense_replace: 62 })).path).toBe('first_k_dense_replace');
  });

  it('names experts in only some of the layers', () => {
    expect(errorOf(changed('qwen3-30b-a3b', { decoder_sparse_step: 2 })).path).toBe('decoder_sparse_step');
    expect(errorOf(changed('qwen3-30b-a3b', { mlp_only_layers: [3] })).path).toBe('mlp_only_layers');
    expect(errorOf(changed('deepseek-v3', { moe_layer_freq: 2 })).path).toBe('moe_layer_freq');
  });

  it('of an unknown family lists the known ones, and what a plain description would lack', () => {
    const error = errorOf({ model_type: 'mamba', hidden_size: 768, vocab_size: 50280 });
    expect(error.path).toBe('model_type');
    expect(error.found).toBe('"mamba" (nor num_hidden_layers, num_attention_heads, intermediate_size)');
    expect(error.expected).toContain('one of opt, llama, mistral');
    expect(error.expected).toContain('inline shape');
  });

  it.each([[undefined], [null], [[]], ['opt'], [7]])('is refused where it is no object: %j', (config) => {
    expect(errorOf(config)).toMatchObject({ path: '', expected: 'an object with the fields of a config.json' });
  });

  it.each(['__proto__', 'constructor', 'toString'])('has no family called %s', (type) => {
    expect(errorOf(JSON.parse(`{"model_type": "${type}"}`)).path).toBe('model_type');
  });
});

describe('any JSON', () => {
  const readsOrRefuses = (config: unknown) => {
    try {
      const { name: _, ...figures } = summariseModel(shapeFromHfConfig(config, 'model'));
      expect(Object.values(figures).filter((figure) => !(Number.isFinite(figure) && figure > 0))).toEqual([]);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).message.length).toBeLessThan(1000);
    }
  };

  it('is read into finite figures or refused by an InputError', () => {
    fc.assert(fc.property(fc.jsonValue(), readsOrRefuses));
  });

  it('in the place of a field of a config is read into finite figures or refused by an InputError', () => {
    const value = fc.oneof(fc.jsonValue(), fc.integer({ min: -2, max: 300 }), fc.constant(null));
    fc.assert(
      fc.property(fc.constantFrom(...FIXTURE_NAMES), fc.nat(), fc.nat(), value, value, (name, first, second, a, b) => {
        const config = fixture(name);
        const keys = Object.keys(config).filter((key) => key !== 'model_type');
        readsOrRefuses({ ...config, [keys[first % keys.length]]: a, [keys[second % keys.length]]: b });
      }),
      { numRuns: 500 },
    );
  });
});
