import type { ConfigFields } from './config-fields.ts';
import { ALL_BIASES, NO_BIASES, type ShapeSketch } from './define-shape.ts';
import {
  ALL_WINDOWED,
  attentionBias,
  DECODER_FIELDS,
  decoder,
  demandEveryLayer,
  localExperts,
  qwenExperts,
  withQwenWindow,
  withWindow,
} from './hf-decoder.ts';
import { LIMITS } from './limits.ts';

/**
 * How the config.json of one model_type is read. What it leaves out is as in transformers' configuration class, but
 * for defaults that suit one size only: Qwen's key-value heads are then as many as its heads.
 */
export interface ConfigFamily {
  /** Fields without which there is no shape. */
  requires: readonly string[];
  read: (config: ConfigFields) => ShapeSketch;
}

const LATENT_FIELDS = ['kv_lora_rank', 'qk_rope_head_dim', 'qk_nope_head_dim', 'v_head_dim'] as const;
const LOCAL_EXPERT_FIELDS = ['num_local_experts', 'num_experts_per_tok'] as const;
const EXPERT_FIELDS = ['num_experts', 'num_experts_per_tok', 'moe_intermediate_size'] as const;
const ROUTED_EXPERT_FIELDS = ['n_routed_experts', 'num_experts_per_tok', 'moe_intermediate_size'] as const;

/** Readable config families by model_type. */
export const CONFIG_FAMILIES: ReadonlyMap<string, ConfigFamily> = new Map([
  [
    'opt',
    family(
      ['num_hidden_layers', 'hidden_size', 'num_attention_heads', 'ffn_dim', 'vocab_size', 'max_position_embeddings'],
      readOpt,
    ),
  ],
  ['llama', family(DECODER_FIELDS, readLlama)],
  ['mistral', family(DECODER_FIELDS, readMistral)],
  ['mixtral', family([...DECODER_FIELDS, ...LOCAL_EXPERT_FIELDS], readMixtral)],
  ['qwen2', family(DECODER_FIELDS, readQwen2)],
  ['qwen2_moe', family([...DECODER_FIELDS, ...EXPERT_FIELDS, 'shared_expert_intermediate_size'], readQwen2Moe)],
  ['qwen3', family(DECODER_FIELDS, readQwen3)],
  ['qwen3_moe', family([...DECODER_FIELDS, ...EXPERT_FIELDS], readQwen3Moe)],
  [
    'deepseek_v2',
    family([...DECODER_FIELDS, ...LATENT_FIELDS, ...ROUTED_EXPERT_FIELDS], (config) =>
      readDeepseek(config, { sharedExperts: 2, denseLayers: 0 }),
    ),
  ],
  [
    'deepseek_v3',
    family([...DECODER_FIELDS, ...LATENT_FIELDS, ...ROUTED_EXPERT_FIELDS], (config) =>
      readDeepseek(config, { sharedExperts: 1, denseLayers: 3 }),
    ),
  ],
  ['gemma2', family(DECODER_FIELDS, readGemma2)],
  ['gemma3_text', family(['num_hidden_layers', 'hidden_size', 'intermediate_size'], readGemma3)],
  ['phi', family(DECODER_FIELDS, readPhi)],
  ['phi3', family(DECODER_FIELDS, readPhi3)],
  ['gpt_oss', family([...DECODER_FIELDS, ...LOCAL_EXPERT_FIELDS], readGptOss)],
  ['falcon', family(['num_hidden_layers', 'hidden_size', 'num_attention_heads', 'vocab_size'], readFalcon)],
  ['gpt_bigcode', family(['n_layer', 'n_embd', 'n_head', 'n_positions', 'vocab_size'], readGptBigCode)],
]);

function family(requires: readonly string[], read: (config: ConfigFields) => ShapeSketch): ConfigFamily {
  return { requires, read };
}

function readOpt(config: ConfigFields): ShapeSketch {
  const hidden = config.integer('hidden_size', { most: LIMITS.hidden });
  const embedding = config.integer('word_embed_proj_dim', { most: LIMITS.hidden, fallback: hidden });
  const maxContextTokens = config.integer('max_position_embeddings', { most: LIMITS.contextTokens });
  return {
    layers: config.integer('num_hidden_layers', { most: LIMITS.layers }),
    hidden,
    heads: config.integer('num_attention_heads', { most: LIMITS.heads }),
    ffn: config.integer('ffn_dim', { most: LIMITS.ffn }),
    vocab: config.integer('vocab_size', { most: LIMITS.vocab }),
    gated: false,
    // Positions count from 2.
    learnedPositions: maxContextTokens + 2,
    rotary: false,
    norm: 'layer',
    bias: config.flag('enable_bias', true) ? { ...ALL_BIASES } : { ...NO_BIASES },
    tiedEmbeddings: config.flag('tie_word_embeddings', true),
    embeddingProjection: embedding === hidden ? 0 : embedding,
    maxContextTokens,
  };
}

function readLlama(config: ConfigFields): ShapeSketch {
  const attention = config.flag('attention_bias', false);
  return { ...decoder(config), bias: { qkv: attention, out: attention, ffn: config.flag('mlp_bias', false) } };
}

function readMistral(config: ConfigFields): ShapeSketch {
  return withWindow(config, decoder(config, { kvHeads: 8 }), { size: 4096, ...ALL_WINDOWED });
}

function readMixtral(config: ConfigFields): ShapeSketch {
  const shape = decoder(config, { kvHeads: 8 });
  return { ...withWindow(config, shape, ALL_WINDOWED), moe: localExperts(config, shape) };
}

function readQwen2(config: ConfigFields): ShapeSketch {
  return withQwenWindow(config, { ...decoder(config), bias: { qkv: true, out: false, ffn: false } });
}

function readQwen2Moe(config: ConfigFields): ShapeSketch {
  const sharedFfn = config.integer('shared_expert_intermediate_size', { most: LIMITS.ffn });
  const moe = qwenExperts(config, sharedFfn);
  if (sharedFfn % moe.expertFfn !== 0) {
    throw config.refusal('shared_expert_intermediate_size', `a multiple of moe_intermediate_size ${moe.expertFfn}`);
  }
  return { ...readQwen2(config), bias: { qkv: config.flag('qkv_bias', true), out: false, ffn: false }, moe };
}

function readQwen3(config: ConfigFields): ShapeSketch {
  return withQwenWindow(config, { ...decoder(config, { headDim: 128 }), ...attentionBias(config), qkNorm: true });
}

function readQwen3Moe(config: ConfigFields): ShapeSketch {
  const shape = { ...decoder(config), ...attentionBias(config), qkNorm: true };
  return { ...withQwenWindow(config, shape), moe: qwenExperts(config, 0) };
}

function readDeepseek(config: ConfigFields, habits: { sharedExperts: number; denseLayers: number }): ShapeSketch {
  const expertFfn = config.integer('moe_intermediate_size', { most: LIMITS.ffn });
  const sharedExperts = config.integer('n_shared_experts', {
    least: 0,
    most: LIMITS.experts,
    // transformers' default holds for a config without the field; null says none.
    fallback: config.has('n_shared_experts') ? 0 : habits.sharedExperts,
  });
  demandEveryLayer(config, 'moe_layer_freq');
  const nopeDim = config.integer('qk_nope_head_dim', { most: LIMITS.headDim });
  return {
    ...decoder(config, { headDim: nopeDim }),
    ...attentionBias(config),
    headDim: nopeDim,
    mla: {
      kvRank: config.integer('kv_lora_rank', { most: LIMITS.hidden }),
      ropeDim: config.integer('qk_rope_head_dim', { most: LIMITS.headDim }),
      qRank: config.integer('q_lora_rank', {
        least: 0,
        most: LIMITS.hidden,
        fallback: config.has('q_lora_rank') ? 0 : 1536,
      }),
      nopeDim,
      vDim: config.integer('v_head_dim', { most: LIMITS.headDim }),
    },
    moe: {
      experts: config.integer('n_routed_experts', { most: LIMITS.experts }),
      active: config.integer('num_experts_per_tok', { most: LIMITS.experts }),
      expertFfn,
      sharedFfn: sharedExperts * expertFfn,
      denseLayers: config.integer('first_k_dense_replace', {
        least: 0,
        most: LIMITS.layers,
        fallback: habits.denseLayers,
      }),
    },
  };
}

function readGemma2(config: ConfigFields): ShapeSketch {
  const shape = decoder(config, { kvHeads: 4, headDim: 256, tied: true, maxContextTokens: 8192 });
  const isWindowed = (layer: number) => layer % 2 === 0;
  return {
    ...withWindow(config, shape, { size: 4096, isWindowed, patternField: 'layer_types' }),
    ...attentionBias(config),
    normsPerLayer: 4,
  };
}

function readGemma3(config: ConfigFields): ShapeSketch {
  const every = config.integer('sliding_window_pattern', { most: LIMITS.layers, fallback: 6 });
  const shape = decoder(config, {
    heads: 8,
    kvHeads: 4,
    headDim: 256,
    vocab: 262208,
    tied: true,
    maxContextTokens: 131072,
  });
  const isWindowed = (layer: number) => (layer + 1) % every !== 0;
  return {
    ...withWindow(config, shape, { size: 4096, isWindowed, patternField: 'sliding_window_pattern' }),
    ...attentionBias(config),
    normsPerLayer: 4,
    qkNorm: true,
  };
}

function readPhi(config: ConfigFields): ShapeSketch {
  return {
    ...decoder(config),
    gated: false,
    norm: 'layer',
    // Attention and feed-forward part read the same normalised input.
    normsPerLayer: 1,
    qkNorm: config.flag('qk_layernorm', false),
    bias: { ...ALL_BIASES },
  };
}

function readPhi3(config: ConfigFields): ShapeSketch {
  return withWindow(config, decoder(config), ALL_WINDOWED);
}

function readGptOss(config: ConfigFields): ShapeSketch {
  const shape = decoder(config, { kvHeads: 8, headDim: 64, maxContextTokens: 131072 });
  const isWindowed = (layer: number) => layer % 2 === 0;
  return {
    ...withWindow(config, shape, { size: 128, isWindowed, patternField: 'layer_types' }),
    bias: { ...ALL_BIASES },
    moe: localExperts(config, shape),
  };
}

function readFalcon(config: ConfigFields): ShapeSketch {
  const hidden = config.integer('hidden_size', { most: LIMITS.hidden });
  const heads = config.integer('num_attention_heads', { most: LIMITS.heads });
  const grouped = config.flag('new_decoder_architecture', false);
  const multiQuery = config.flag('multi_query', true);
  const parallel = config.flag('parallel_attn', true);
  const parallelNorms = config.integer('num_ln_in_parallel_attn', { most: 2, fallback: grouped ? 2 : 1 });
  return {
    layers: config.integer('num_hidden_layers', { most: LIMITS.layers }),
    hidden,
    heads,
    kvHeads: grouped ? config.integer('num_kv_heads', { most: LIMITS.heads, fallback: heads }) : multiQuery ? 1 : heads,
    ffn: config.integer('ffn_hidden_size', { most: LIMITS.ffn, fallback: 4 * hidden }),
    vocab: config.integer('vocab_size', { most: LIMITS.vocab }),
    gated: false,
    rotary: !config.flag('alibi', false),
    norm: 'layer',
    normsPerLayer: parallel ? parallelNorms : 2,
    bias: config.flag('bias', false) ? { ...ALL_BIASES } : { ...NO_BIASES },
    tiedEmbeddings: config.flag('tie_word_embeddings', true),
    maxContextTokens: config.integer('max_position_embeddings', { most: LIMITS.contextTokens, fallback: 2048 }),
  };
}

function readGptBigCode(config: ConfigFields): ShapeSketch {
  const hidden = config.integer('n_embd', { most: LIMITS.hidden });
  const heads = config.integer('n_head', { most: LIMITS.heads });
  const maxContextTokens = config.integer('n_positions', { most: LIMITS.contextTokens });
  return {
    layers: config.integer('n_layer', { most: LIMITS.layers }),
    hidden,
    heads,
    kvHeads: config.flag('multi_query', true) ? 1 : heads,
    ffn: config.integer('n_inner', { most: LIMITS.ffn, fallback: 4 * hidden }),
    vocab: config.integer('vocab_size', { most: LIMITS.vocab }),
    gated: false,
    learnedPositions: maxContextTokens,
    rotary: false,
    norm: 'layer',
    bias: { ...ALL_BIASES },
    tiedEmbeddings: config.flag('tie_word_embeddings', true),
    maxContextTokens,
  };
}
