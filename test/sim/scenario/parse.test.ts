import { describe, expect, it } from 'vitest';
import { findMachine } from '../../../sim/machine/catalogue.ts';
import { findModel } from '../../../sim/model/catalogue.ts';
import { InputError } from '../../../sim/scenario/input-error.ts';
import { parseScenario, scenarioFromDocument } from '../../../sim/scenario/parse.ts';
import { IDEAL_MACHINE, INLINE_SHAPE, VALID, VALID_TEXT } from './valid.ts';

function problemOf(document: unknown): InputError {
  try {
    scenarioFromDocument(document);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('the document was accepted');
}

describe('a scenario', () => {
  it('needs only model, machine and workload, the rest has defaults', () => {
    expect(parseScenario(VALID_TEXT)).toEqual({
      name: 'opt-6.7b on a100-pcie-40gb',
      model: findModel('opt-6.7b'),
      machine: findMachine('a100-pcie-40gb'),
      workload: { batch: 64, promptTokens: 512, generatedTokens: 32, microBatches: 1 },
      precision: { weights: 'fp16', kv: 'fp16', activations: 'fp16' },
      placement: { weights: 'gpu', kv: 'host' },
      schedules: undefined,
      split: 'auto',
    });
  });

  it('reads everything that can be written', () => {
    const scenario = scenarioFromDocument({
      ...VALID,
      name: 'mine',
      workload: { ...VALID.workload, microBatches: 4 },
      precision: { kv: 'int4' },
      placement: { weights: 'host' },
      schedules: ['transfer', 'kvpr-row', 'transfer'],
      split: { recomputed: '37%', resident: 10 },
      sweep: {
        'workload.batch': [1, 8],
        'machine.link.h2d': { from: '8 GB/s', to: '64 GB/s', steps: 3, scale: 'log' },
      },
    });
    expect(scenario.name).toBe('mine');
    expect(scenario.workload.microBatches).toBe(4);
    expect(scenario.precision).toEqual({ weights: 'fp16', kv: 'int4', activations: 'fp16' });
    expect(scenario.placement).toEqual({ weights: 'host', kv: 'host' });
    expect(scenario.schedules).toEqual(['transfer', 'kvpr-row']);
    expect(scenario.split).toEqual({ recomputed: { fraction: 0.37 }, resident: { tokens: 10 } });
  });

  it('takes a shape and a machine written in place', () => {
    const { model, machine } = scenarioFromDocument({ ...VALID, model: INLINE_SHAPE, machine: IDEAL_MACHINE });
    expect(model).toMatchObject({ layers: 4, hidden: 1024, ffn: 4096 });
    expect(machine.gpu).toMatchObject({
      memoryBytes: 40 * 2 ** 30,
      matmulFlopsPerSecond: 1e14,
      memoryBytesPerSecond: Infinity,
    });
    expect(machine.link).toMatchObject({ h2dBytesPerSecond: 25e9, duplex: 1 });
  });

  it('combines a GPU, a host and a link by name', () => {
    const { machine } = scenarioFromDocument({
      ...VALID,
      machine: { gpu: 'h100-sxm', host: 'epyc-9654', link: 'pcie5-x16' },
    });
    expect([machine.gpu.name, machine.host.name, machine.link.name]).toEqual(['h100-sxm', 'epyc-9654', 'pcie5-x16']);
  });

  it('takes the GPU of a machine by the name of the machine', () => {
    const gpu = (name: string) =>
      scenarioFromDocument({ ...VALID, machine: { ...IDEAL_MACHINE, gpu: name } }).machine.gpu;
    expect(gpu('gh200')).toEqual(findMachine('gh200')!.gpu);
    expect(gpu('v100-sxm').name).toBe('v100-sxm-32gb');
  });

  it('takes a plain zero for a time that may be none', () => {
    const link = { h2d: '25 GB/s', latency: 0 };
    expect(scenarioFromDocument({ ...VALID, machine: { ...IDEAL_MACHINE, link } }).machine.link.latencySeconds).toBe(0);
    expect(problemOf({ ...VALID, machine: { ...IDEAL_MACHINE, link: { ...link, latency: 8 } } }).message).toMatch(
      /^machine\.link\.latency: found 8, expected a time such as 8 us/,
    );
  });

  it('reads a model from a config.json by its path and calls it after the folder or the file', () => {
    const config = {
      model_type: 'opt',
      hidden_size: 768,
      num_hidden_layers: 12,
      num_attention_heads: 12,
      ffn_dim: 3072,
      vocab_size: 50272,
      max_position_embeddings: 2048,
      word_embed_proj_dim: 768,
    };
    const paths: string[] = [];
    const readModelConfig = (path: string) => {
      paths.push(path);
      return config;
    };
    const inFolder = scenarioFromDocument({ ...VALID, model: 'models/my-opt/config.json' }, { readModelConfig });
    expect(inFolder.model).toMatchObject({ name: 'my-opt', layers: 12, hidden: 768 });
    expect(scenarioFromDocument({ ...VALID, model: './my-opt.json' }, { readModelConfig }).model.name).toBe('my-opt');
    expect(paths).toEqual(['models/my-opt/config.json', './my-opt.json']);
  });

  it('names the config.json in which something is missing', () => {
    const readModelConfig = () => ({ model_type: 'opt', hidden_size: 768 });
    expect(() =>
      scenarioFromDocument({ ...VALID, model: 'a/config.json' }, { file: 's.yaml', readModelConfig }),
    ).toThrow(/^a\/config\.json: \S+: found nothing .*expected/);
  });

  it('runs only the first layers where asked to', () => {
    expect(scenarioFromDocument({ ...VALID, layers: 4 }).model.layers).toBe(4);
    expect(scenarioFromDocument({ ...VALID, model: 'deepseek-v3', layers: 2 }).model.moe?.denseLayers).toBe(2);
    expect(problemOf({ ...VALID, layers: 33 }).message).toBe(
      'layers: found 33, expected at most 32, the layers of opt-6.7b',
    );
  });
});

describe('an error', () => {
  it.each<[string, unknown, RegExp]>([
    ['a document that is no mapping', [1, 2], /^found \[1,2\], expected a mapping with name, model/],
    ['text', 'hello', /^found "hello", expected a mapping/],
    [
      'an unknown key with the nearest',
      { ...VALID, modle: 1 },
      /^found unknown key "modle", expected one of .*; nearest: model/,
    ],
    [
      'an unknown key further down',
      { ...VALID, workload: { ...VALID.workload, bacth: 1 } },
      /^workload: found unknown key "bacth", .*nearest: batch$/,
    ],
    [
      'an unknown key of the machine',
      { ...VALID, machine: { ...IDEAL_MACHINE, linc: 1 } },
      /^machine: found unknown key "linc", .*nearest: link$/,
    ],
    [
      'an unknown key of a link',
      { ...VALID, machine: { ...IDEAL_MACHINE, link: { h2d: '1 GB/s', h2b: 1 } } },
      /^machine\.link: found unknown key "h2b", .*nearest: h2d/,
    ],
    [
      'an unknown model with the nearest',
      { ...VALID, model: 'opt-6.7' },
      /^model: found "opt-6\.7", expected the name of a model; nearest: opt-6\.7b/,
    ],
    [
      'an unknown model near none',
      { ...VALID, model: 'zzzzzzzzzzzz' },
      /^model: found "z+", expected the name of a model; "splitpoint models" lists them$/,
    ],
    [
      'an unknown machine with the nearest',
      { ...VALID, machine: 'a100-pcie' },
      /^machine: found "a100-pcie", .*nearest: .*a100-pcie-40gb/,
    ],
    [
      'an unknown GPU with the nearest',
      { ...VALID, machine: { ...IDEAL_MACHINE, gpu: 'h100-smx' } },
      /^machine\.gpu: found "h100-smx", .*nearest: h100-sxm/,
    ],
    [
      'a machine given as a path',
      { ...VALID, machine: './profile.json' },
      /^machine: found a path \("\.\/profile\.json"\), expected the name of a machine or an inline machine/,
    ],
    ['a model given as a path where none can be read', { ...VALID, model: 'x/config.json' }, /^model: found a path/],
    [
      'an unknown schedule with the nearest',
      { ...VALID, schedules: ['transfer', 'kvpr-rows'] },
      /^schedules\[1\]: found "kvpr-rows", expected one of resident, .*nearest: kvpr-row/,
    ],
    ['no schedules', { ...VALID, schedules: [] }, /^schedules: found \[\], expected at least one schedule$/],
    [
      'an unknown precision',
      { ...VALID, precision: { kv: 'fp8' } },
      /^precision\.kv: found "fp8", expected one of fp32, fp16/,
    ],
    [
      'a wrong unit',
      { ...VALID, machine: { ...IDEAL_MACHINE, link: { h2d: '25 GB' } } },
      /^machine\.link\.h2d: found "25 GB", a size, expected a rate such as 25 GB\/s$/,
    ],
    [
      'a quantity without a unit',
      { ...VALID, machine: { ...IDEAL_MACHINE, link: { h2d: 25 } } },
      /^machine\.link\.h2d: found 25, expected a rate such as/,
    ],
    [
      'a negative quantity',
      { ...VALID, machine: { ...IDEAL_MACHINE, link: { h2d: '-25 GB/s' } } },
      /^machine\.link\.h2d: found "-25 GB\/s", a negative quantity/,
    ],
    [
      'a rate of zero',
      { ...VALID, machine: { ...IDEAL_MACHINE, link: { h2d: '0 GB/s' } } },
      /^machine\.link\.h2d: found "0 GB\/s", .*at least 1 kB\/s/,
    ],
    [
      'an absurd quantity',
      { ...VALID, machine: { ...IDEAL_MACHINE, link: { h2d: '1e30 GB/s' } } },
      /^machine\.link\.h2d: found "1e30 GB\/s", .*at most/,
    ],
    [
      'a negative count',
      { ...VALID, workload: { ...VALID.workload, batch: -1 } },
      /^workload\.batch: found -1, expected a whole number from 1 to 65536$/,
    ],
    [
      'a count of zero',
      { ...VALID, workload: { ...VALID.workload, promptTokens: 0 } },
      /^workload\.promptTokens: found 0, expected a whole number from 1 to 16777216$/,
    ],
    [
      'an absurd count',
      { ...VALID, workload: { ...VALID.workload, generatedTokens: 1e12 } },
      /^workload\.generatedTokens: found 1000000000000, expected a whole number from 1 to 1048576$/,
    ],
    [
      'a count with a fraction',
      { ...VALID, workload: { ...VALID.workload, batch: 1.5 } },
      /^workload\.batch: found 1\.5, expected a whole number/,
    ],
    [
      'a count that is not finite',
      { ...VALID, workload: { ...VALID.workload, batch: Number.POSITIVE_INFINITY } },
      /^workload\.batch: found Infinity, /,
    ],
    [
      'a count as text',
      { ...VALID, workload: { ...VALID.workload, batch: '64' } },
      /^workload\.batch: found "64", expected a whole number/,
    ],
    [
      'what is missing',
      { model: 'opt-6.7b', machine: 'a100-pcie-40gb' },
      /^workload: found nothing, expected a mapping with batch, promptTokens/,
    ],
    [
      'a missing count',
      { ...VALID, workload: { batch: 1, promptTokens: 1 } },
      /^workload\.generatedTokens: found nothing, expected a whole number/,
    ],
    ['an empty value', { ...VALID, model: null }, /^model: found null, expected the name of a model/],
    [
      'a shape with heads that do not fit',
      { ...VALID, model: { ...INLINE_SHAPE, kvHeads: 5 } },
      /^model\.kvHeads: found 5, expected a divisor of the 16 heads$/,
    ],
    [
      'a shape with a missing figure',
      { ...VALID, model: { ...INLINE_SHAPE, layers: undefined } },
      /^model\.layers: found nothing, expected a whole number from 1/,
    ],
    [
      'a context beyond the model’s',
      { ...VALID, workload: { ...VALID.workload, promptTokens: 2030 } },
      /^workload: found promptTokens 2030 \+ generatedTokens 32 = 2062, expected at most 2048, the longest context of opt-6\.7b$/,
    ],
    [
      'a split beyond the context',
      { ...VALID, split: { recomputed: 500, resident: 13 } },
      /^split: found resident 13 \+ recomputed 500 = 513 tokens, expected at most the context's 512 tokens/,
    ],
    [
      'a split beyond the whole',
      { ...VALID, split: { recomputed: '60%', transferred: '41%' } },
      /^split: found recomputed 60% \+ transferred 41% = 517\.12 tokens, expected at most/,
    ],
    [
      'a split that does not add up',
      { ...VALID, split: { recomputed: 100, transferred: 100 } },
      /^split: found recomputed 100 \+ transferred 100 = 200 tokens, expected exactly the context's 512 tokens/,
    ],
    [
      'a negative share',
      { ...VALID, split: { recomputed: -1 } },
      /^split\.recomputed: found -1, expected a whole number of tokens or a percentage/,
    ],
    [
      'a share with a fraction of a token',
      { ...VALID, split: { recomputed: 0.37 } },
      /^split\.recomputed: found 0\.37, expected a whole number of tokens/,
    ],
    [
      'an unknown way',
      { ...VALID, split: { recompute: 1 } },
      /^split: found unknown key "recompute", .*nearest: recomputed/,
    ],
    [
      'a share below any sense',
      { ...VALID, machine: { ...IDEAL_MACHINE, efficiency: { matmul: 1e-9 } } },
      /^machine\.efficiency\.matmul: found 1e-9, expected a number from 0\.001 to 1$/,
    ],
    ['an escape in the name', { ...VALID, name: 'a\u001b[31m' }, /^name: found .*, expected a name without control/],
    ['a line break in the name', { ...VALID, name: 'a\nb' }, /^name: found "a\\nb", expected a name without control/],
    [
      'a name too long',
      { ...VALID, name: 'x'.repeat(201) },
      /^name: found .*, expected a name of 1 to 200 characters$/,
    ],
    [
      'an escape in a name further down',
      { ...VALID, model: { ...INLINE_SHAPE, name: 'a\u009b' } },
      /^model\.name: found .*, expected printable characters/,
    ],
    [
      'an escape in the name of a part',
      { ...VALID, machine: { ...IDEAL_MACHINE, name: '\u001b' } },
      /^machine\.name: found .*, expected a name without control/,
    ],
    [
      'an unknown GPU with those of its family',
      { ...VALID, machine: { ...IDEAL_MACHINE, gpu: 'rtx-9999' } },
      /^machine\.gpu: found "rtx-9999", expected a GPU of the catalogue; nearest: rtx-/,
    ],
    [
      'a repository as a model',
      { ...VALID, model: 'facebook/opt-6.7b' },
      /^model: found a path .*; nearest: opt-6\.7b/,
    ],
    ['a word as a split', { ...VALID, split: 'best' }, /^split: found "best", expected auto, or a mapping/],
    [
      'a bad axis',
      { ...VALID, sweep: { 'workload.batch': 3 } },
      /^sweep\."workload\.batch": found 3, expected a list of values, or a range/,
    ],
    [
      'a range with an unknown scale',
      { ...VALID, sweep: { x: { from: 1, to: 2, steps: 3, scale: 'cubic' } } },
      /^sweep\.x\.scale: found "cubic", expected one of linear, log$/,
    ],
    [
      'an unknown axis',
      { ...VALID, sweep: { 'workload.bacth': [1] } },
      /^sweep\."workload\.bacth"\[0\]: found workload: unknown key "bacth", .*nearest: batch/,
    ],
    [
      'an axis of axes',
      { ...VALID, sweep: { 'sweep.x': [[1]] } },
      /^sweep\."sweep\.x": found "sweep\.x", expected a path/,
    ],
    [
      'an axis without a path',
      { ...VALID, sweep: { 'a..b': [1] } },
      /^sweep\."a\.\.b": found "a\.\.b", expected a path/,
    ],
    [
      'an axis without values',
      { ...VALID, sweep: { layers: [] } },
      /^sweep\.layers: found \[\], expected at least one value/,
    ],
    [
      'a value of an axis',
      { ...VALID, sweep: { 'workload.batch': [1, 0] } },
      /^sweep\."workload\.batch"\[1\]: found 0, expected a whole number/,
    ],
    [
      'a value that goes with no other',
      { ...VALID, sweep: { model: ['opt-13b', 'opt-6.7'] } },
      /^sweep\.model\[1\]: found "opt-6\.7", .*nearest: opt-6\.7b/,
    ],
    [
      'the end of a range',
      { ...VALID, sweep: { layers: { from: 1, to: 33, steps: 2 } } },
      /^sweep\.layers\.to: found 33, expected at most 32/,
    ],
    [
      'a range of one step',
      { ...VALID, sweep: { layers: { from: 1, to: 3, steps: 1 } } },
      /^sweep\.layers\.steps: found 1, /,
    ],
    [
      'a range of two units',
      { ...VALID, sweep: { 'machine.link.h2d': { from: '1 GB', to: '3 GB/s', steps: 2 } } },
      /found from "1 GB" to "3 GB\/s", expected two numbers, or two quantities of the same unit/,
    ],
    [
      'a range from zero on a log scale',
      { ...VALID, sweep: { 'machine.link.latency': { from: '0 s', to: '3 us', steps: 2, scale: 'log' } } },
      /found from "0 s" to "3 us", expected ends above zero/,
    ],
    ['a key that could reach the prototype', JSON.parse(`{"__proto__": {"x": 1}}`), /^found unknown key "__proto__"/],
  ])('names %s', (_, document, message) => {
    expect(problemOf(document).message).toMatch(message);
  });

  it('names a value that contains itself, and parts shared without end', () => {
    const cycle: Record<string, unknown> = { ...VALID };
    cycle.model = [cycle];
    expect(problemOf(cycle).message).toBe('found a value that contains itself, expected lists and mappings that end');
    const laughs = Array.from({ length: 30 }).reduce<unknown>((part) => [part, part], 1);
    expect(problemOf({ ...VALID, model: laughs }).path).toBe('model');
    expect(problemOf({ ...VALID, model: 1n }).message).toContain('a bigint that JSON cannot hold');
  });

  it('is the first in the order of the document', () => {
    const workload = { generatedTokens: 0, batch: 0, promptTokens: 1, microbatches: 1 };
    expect(problemOf({ machine: 'a100-pcie-40gb', workload, model: 1, extra: 1 }).path).toBe(
      'workload.generatedTokens',
    );
    expect(problemOf({ extra: 1, machine: 1, workload, model: 1 }).found).toBe('unknown key "extra"');
    expect(problemOf({ machine: 'a100-pcie-40gb', model: 1 }).path).toBe('model');
  });

  it('names the file', () => {
    expect(() => parseScenario('model: [', { file: 'a.yaml' })).toThrow(/^a\.yaml: line 1: found bad syntax/);
    expect(() => parseScenario('model: 1', { file: 'a.yaml' })).toThrow(/^a\.yaml: model: found 1/);
  });

  it('quotes what was found, shortened to 60 characters', () => {
    expect(problemOf({ ...VALID, model: 'x'.repeat(1000) }).found.length).toBeLessThanOrEqual(60);
    expect(problemOf({ ...VALID, model: 'a\nb' }).found).toBe('"a\\nb"');
  });
});
