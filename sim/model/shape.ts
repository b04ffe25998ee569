/** Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): one latent and one rotary key per token are cached. */
export interface LatentAttention {
  /** Width of the compressed KV latent, elements per token. */
  kvRank: number;
  /** Width of the shared rotary key, elements per token. */
  ropeDim: number;
  /** Rank of the compressed query; 0 where the query is projected directly. */
  qRank: number;
  /** Per-head width of the non-rotary part of query and key. */
  nopeDim: number;
  /** Per-head width of the value. */
  vDim: number;
}

/** Mixture of experts in the feed-forward part. */
export interface MixtureOfExperts {
  /** Routed experts per MoE layer. */
  experts: number;
  /** Routed experts each token uses. */
  active: number;
  /** Inner width of one routed expert. */
  expertFfn: number;
  /** Total inner width of the experts that every token uses, 0 where there are none. */
  sharedFfn: number;
  /** The first layers that have a dense feed-forward part of width `ffn` instead. */
  denseLayers: number;
}

/** Sliding-window attention. */
export interface SlidingWindow {
  /** Cached tokens that a windowed layer attends at most. */
  size: number;
  /** Every n-th layer attends everything, the others the window; 0: all layers are windowed (Gemma 3: 6, Mistral 7B: 0). */
  every: number;
}

/** The shape of a decoder-only transformer: everything that bytes and FLOPs follow from. Widths are in elements. */
export interface ModelShape {
  name: string;
  layers: number;
  hidden: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Inner width of the dense feed-forward part. */
  ffn: number;
  /** Gated feed-forward (gate, up, down) or plain (up, down). */
  gated: boolean;
  vocab: number;
  /** Rows of the learned position embedding; 0 where positions are rotary or relative. */
  learnedPositions: number;
  rotary: boolean;
  norm: 'layer' | 'rms';
  /** Norms per layer on the hidden width: 2; 4 where outputs are normalised too (Gemma 2 and 3), 1 where both parts share it (Falcon 7B). */
  normsPerLayer: number;
  /** Normalisation of each query and key head before the rotary embedding (Qwen3, Gemma 3). */
  qkNorm: boolean;
  bias: { qkv: boolean; out: boolean; ffn: boolean };
  /** The output head shares the embedding's weights. */
  tiedEmbeddings: boolean;
  /** Width of the embedding where it differs from `hidden` and is projected (OPT-350M), else 0. */
  embeddingProjection: number;
  /** Longest context the model was made for, tokens; absent where unknown. */
  maxContextTokens?: number;
  mla?: LatentAttention;
  moe?: MixtureOfExperts;
  window?: SlidingWindow;
}
