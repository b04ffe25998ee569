import { InputError } from '../scenario/input-error.ts';
import { quoted } from '../scenario/path.ts';
import { ConfigFields } from './config-fields.ts';
import { defineShape } from './define-shape.ts';
import { DECODER_FIELDS } from './hf-decoder.ts';
import { CONFIG_FAMILIES, type ConfigFamily } from './hf-families.ts';
import { type Conflict, shapeConflicts } from './limits.ts';
import type { ModelShape } from './shape.ts';

/**
 * The shape that a Hugging Face config.json describes; of a model that also sees, its text part (`text_config`).
 * Fields that have no bearing on the shape are ignored. Throws InputError where the family is unknown, fields are
 * missing or wrong, or layers differ in a way that a ModelShape cannot say.
 */
export function shapeFromHfConfig(config: unknown, name: string): ModelShape {
  const root = new ConfigFields(config);
  const text = root.lacking(['text_config']).length === 0 ? root.nested('text_config') : root;
  const family = familyOf(root, text);
  const lacking = text.lacking(family.requires);
  if (lacking.length > 0) {
    throw new InputError({
      path: text.path(lacking[0]),
      found: `nothing${alsoLacking(lacking.slice(1))}`,
      expected: `the fields that this family needs: ${family.requires.join(', ')}`,
    });
  }
  const shape = defineShape(name, family.read(text));
  const [conflict] = shapeConflicts(shape);
  if (conflict) throw conflictError(text, conflict);
  return shape;
}

function familyOf(root: ConfigFields, text: ConfigFields): ConfigFamily {
  const own = text.optionalText('model_type');
  const type = own ?? root.optionalText('model_type');
  // Some text parts leave their own type to the wrapper.
  const family = CONFIG_FAMILIES.get(type ?? '') ?? CONFIG_FAMILIES.get(`${type}_text`);
  if (family) return family;
  throw new InputError({
    path: own === undefined ? root.path('model_type') : text.path('model_type'),
    found: `${quoted(type)}${alsoLacking(text.lacking(DECODER_FIELDS))}`,
    expected: `one of ${[...CONFIG_FAMILIES.keys()].join(', ')}, or the model's figures as an inline shape`,
  });
}

function alsoLacking(fields: readonly string[]): string {
  return fields.length > 0 ? ` (nor ${fields.join(', ')})` : '';
}

/** Fields that families write a figure in, by the figure's path in the shape. */
const FIELDS_OF_FIGURE: Readonly<Record<string, readonly string[]>> = {
  headDim: ['head_dim', 'hidden_size', 'n_embd'],
  kvHeads: ['num_key_value_heads', 'num_kv_heads'],
  'moe.active': ['num_experts_per_tok'],
  'moe.denseLayers': ['first_k_dense_replace', 'mlp_only_layers'],
};

function conflictError(config: ConfigFields, { path, found, expected }: Conflict): InputError {
  const figure = path.join('.');
  const field = FIELDS_OF_FIGURE[figure]?.find((name) => config.has(name)) ?? figure;
  return new InputError({ path: config.path(field), found: String(found), expected });
}
