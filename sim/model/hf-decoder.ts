import type { ConfigFields } from './config-fields.ts';
import type { ShapeSketch } from './define-shape.ts';
import { readWindow, type WindowHabits } from './hf-window.ts';
import { LIMITS } from './limits.ts';
import type { MixtureOfExperts } from './shape.ts';

/** Fields that say the shape of a plain decoder in most families. */
export const DECODER_FIELDS = [
  'num_hidden_layers',
  'hidden_size',
  'num_attention_heads',
  'intermediate_size',
  'vocab_size',
] as const;

/** What a family assumes where a config is silent. */
export interface DecoderHabits {
  heads?: number;
  /** Absent: as many as heads. */
  kvHeads?: number;
  /** Absent: hidden width over heads. */
  headDim?: number;
  vocab?: number;
  tied?: boolean;
  maxContextTokens?: number;
}

/** The part of a shape that most families write in the same fields. */
export function decoder(config: ConfigFields, habits: DecoderHabits = {}): ShapeSketch {
  const hidden = config.integer('hidden_size', { most: LIMITS.hidden });
  const heads = config.integer('num_attention_heads', { most: LIMITS.heads, ...fallback(habits.heads) });
  const headDim = config.optionalInteger('head_dim', { most: LIMITS.headDim }) ?? habits.headDim ?? hidden / heads;
  const maxContextTokens =
    config.optionalInteger('max_position_embeddings', { most: LIMITS.contextTokens }) ?? habits.maxContextTokens;
  return {
    layers: config.integer('num_hidden_layers', { most: LIMITS.layers }),
    hidden,
    heads,
    kvHeads: config.integer('num_key_value_heads', { most: LIMITS.heads, fallback: habits.kvHeads ?? heads }),
    headDim,
    ffn: config.integer('intermediate_size', { most: LIMITS.ffn }),
    vocab: config.integer('vocab_size', { most: LIMITS.vocab, ...fallback(habits.vocab) }),
    tiedEmbeddings: config.flag('tie_word_embeddings', habits.tied ?? false),
    ...(maxContextTokens !== undefined && { maxContextTokens }),
  };
}

function fallback(value: number | undefined): { fallback?: number } {
  return value === undefined ? {} : { fallback: value };
}

/** Biases of a family in which `attention_bias` governs all four projections and nothing else has one. */
export function attentionBias(config: ConfigFields): Pick<ShapeSketch, 'bias'> {
  const attention = config.flag('attention_bias', false);
  return { bias: { qkv: attention, out: attention, ffn: false } };
}

/** A family whose window, where it has one, holds in all layers. */
export const ALL_WINDOWED: WindowHabits = { isWindowed: () => true, patternField: 'layer_types' };

/** The shape with the config's sliding window. */
export function withWindow(config: ConfigFields, shape: ShapeSketch, habits: WindowHabits): ShapeSketch {
  const window = readWindow(config, shape, habits);
  return window ? { ...shape, window } : shape;
}

/** Qwen's window has a switch of its own and starts at layer `max_window_layers`. */
export function withQwenWindow(config: ConfigFields, shape: ShapeSketch): ShapeSketch {
  if (!config.flag('use_sliding_window', false)) return shape;
  const first = config.integer('max_window_layers', { least: 0, most: LIMITS.layers, fallback: 28 });
  const isWindowed = (layer: number) => layer >= first;
  return withWindow(config, shape, { size: 4096, isWindowed, patternField: 'max_window_layers' });
}

/** Experts in all layers, as wide as `intermediate_size` (Mixtral, gpt-oss). */
export function localExperts(config: ConfigFields, { ffn }: ShapeSketch): MixtureOfExperts {
  return {
    experts: config.integer('num_local_experts', { most: LIMITS.experts }),
    active: config.integer('num_experts_per_tok', { most: LIMITS.experts }),
    expertFfn: ffn,
    sharedFfn: 0,
    denseLayers: 0,
  };
}

/** Qwen's experts: in every layer but the first ones that `mlp_only_layers` lists. */
export function qwenExperts(config: ConfigFields, sharedFfn: number): MixtureOfExperts {
  demandEveryLayer(config, 'decoder_sparse_step');
  const dense = config.list('mlp_only_layers') ?? [];
  if (dense.some((layer, index) => layer !== index)) {
    throw config.refusal('mlp_only_layers', 'none or the first layers in order');
  }
  return {
    experts: config.integer('num_experts', { most: LIMITS.experts }),
    active: config.integer('num_experts_per_tok', { most: LIMITS.experts }),
    expertFfn: config.integer('moe_intermediate_size', { most: LIMITS.ffn }),
    sharedFfn,
    denseLayers: dense.length,
  };
}

/** Refuses a config in which only every n-th layer has experts. */
export function demandEveryLayer(config: ConfigFields, key: string): void {
  if (config.integer(key, { most: LIMITS.layers, fallback: 1 }) !== 1) {
    throw config.refusal(key, '1: experts in every layer after the dense ones');
  }
}
