import type { ModelShape } from '../sim/model/shape.ts';
import type { Precisions } from '../sim/scenario/scenario.ts';
import type { FloatType } from './native.ts';

/** What kernels load at once, in elements. */
const ELEMENTS = 8;

const FLOAT_TYPES: readonly string[] = ['fp32', 'fp16', 'bf16'] satisfies FloatType[];

/** Why a model at a precision can be simulated but not executed, in one sentence; undefined where it can be. Takes a scenario. */
export function whyNotExecutable(asked: { model: ModelShape; precision: Precisions }): string | undefined {
  const { model, precision } = asked;
  const { weights, kv, activations } = precision;
  if (!FLOAT_TYPES.includes(weights) || weights !== kv || weights !== activations) {
    return `Plans are executed with weights, kv and activations all fp32, all fp16 or all bf16, found ${weights}, ${kv} and ${activations}.`;
  }
  const found = unknownToKernels(model);
  return found && `${model.name} has ${found}.`;
}

function unknownToKernels(model: ModelShape): string | undefined {
  if (model.mla) return 'latent attention, for which there are no kernels';
  if (model.moe) return 'routed experts, for which there are no kernels';
  if (model.embeddingProjection > 0) {
    return `embeddings of width ${model.embeddingProjection} that are projected to ${model.hidden}, for which there are no kernels`;
  }
  if (model.normsPerLayer !== 2) return `${model.normsPerLayer} norms per layer, expected 2`;
  for (const width of ['hidden', 'headDim'] as const) {
    if (model[width] % ELEMENTS !== 0) return `${width} ${model[width]}, expected a multiple of ${ELEMENTS}`;
  }
  return undefined;
}
