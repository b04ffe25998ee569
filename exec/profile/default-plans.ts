import { inlineShapeSchema, shapeFromInline } from '../../sim/model/inline.ts';
import type { ModelShape } from '../../sim/model/shape.ts';
import type { Plan, Precision } from '../../sim/plan/plan.ts';
import { scheduleNamed } from '../../sim/schedule/catalogue.ts';
import { decodePlan } from '../../sim/schedule/decode.ts';
import { NO_TOKENS } from '../../sim/schedule/split-tokens.ts';
import type { Backend } from '../native.ts';

/** Decode steps of one layer, whose kernels stand for those of models in use. */
interface Load {
  precision: Precision;
  shapes: readonly ModelShape[];
  batch: number;
  /** Tokens: what is attended and recomputed. */
  contexts: readonly number[];
  /** Attended by the host's cores, too. */
  host: boolean;
}

const doublings = (from: number, to: number) =>
  Array.from({ length: Math.floor(Math.log2(to / from)) + 1 }, (_, i) => from * 2 ** i);

const shape = (hidden: number, heads: number, kvHeads: number, ffn: number, vocab: number) =>
  shapeFromInline(inlineShapeSchema.parse({ layers: 1, hidden, heads, kvHeads, ffn, gated: kvHeads < heads, vocab }));

/** Multi-head attention with a plain feed-forward part as in OPT, and grouped queries with a gated one as in Llama. */
const CUDA_SHAPES = [
  shape(4096, 32, 32, 16384, 32000),
  shape(4096, 32, 8, 14336, 32000),
  shape(5120, 40, 40, 20480, 32000),
  shape(7168, 56, 56, 28672, 32000),
  shape(8192, 64, 8, 28672, 32000),
];

const CPU_SHAPES = [
  shape(256, 4, 4, 1024, 2048),
  shape(512, 8, 8, 2048, 2048),
  shape(768, 12, 12, 3072, 2048),
  shape(1024, 16, 16, 4096, 2048),
  shape(1024, 16, 4, 2816, 2048),
];

const LOADS: Record<Backend, readonly Load[]> = {
  cpu: [
    { precision: 'fp32', shapes: CPU_SHAPES, batch: 8, contexts: doublings(8, 1024), host: true },
    { precision: 'fp32', shapes: CPU_SHAPES, batch: 1, contexts: doublings(64, 4096), host: true },
    { precision: 'fp32', shapes: CPU_SHAPES, batch: 32, contexts: doublings(16, 256), host: false },
    { precision: 'bf16', shapes: CPU_SHAPES.slice(1, 2), batch: 8, contexts: [16, 64, 256, 1024], host: false },
  ],
  cuda: [
    { precision: 'fp16', shapes: CUDA_SHAPES, batch: 8, contexts: doublings(32, 8192), host: true },
    { precision: 'fp16', shapes: CUDA_SHAPES, batch: 1, contexts: doublings(512, 32768), host: false },
    { precision: 'fp16', shapes: CUDA_SHAPES, batch: 32, contexts: doublings(128, 2048), host: true },
    { precision: 'fp16', shapes: CUDA_SHAPES, batch: 64, contexts: doublings(128, 1024), host: false },
    { precision: 'bf16', shapes: CUDA_SHAPES.slice(0, 2), batch: 8, contexts: doublings(32, 8192), host: false },
    { precision: 'bf16', shapes: CUDA_SHAPES.slice(0, 2), batch: 32, contexts: doublings(128, 2048), host: false },
  ],
};

/** Plans whose kernels a profile measures where nobody asks for others. */
export function defaultPlans(backend: Backend): Plan[] {
  return LOADS[backend].flatMap((load) =>
    load.shapes.flatMap((one) =>
      load.contexts.flatMap((context) => [
        onePlan(one, load, 'activation', context),
        ...(load.host ? [onePlan(one, load, 'host-attention', context)] : []),
      ]),
    ),
  );
}

function onePlan(
  shape: ModelShape,
  { batch, precision }: Load,
  name: 'activation' | 'host-attention',
  context: number,
): Plan {
  const schedule = scheduleNamed(name);
  return decodePlan({
    shape,
    schedule,
    batch,
    microBatches: 1,
    precision: { weights: precision, kv: precision, activations: precision },
    placement: { weights: 'gpu', kv: 'host' },
    replans: false,
    contexts: [context],
    splits: [[{ ...NO_TOKENS, [schedule.home]: context }]],
  }).plan;
}
