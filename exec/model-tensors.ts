import { bytesPerElement } from '../sim/plan/plan.ts';
import type { DecodePlan } from '../sim/schedule/decode.ts';
import { endLayout, type Linear, layerLayout, type WeightPart } from '../sim/schedule/weight-layout.ts';
import type { DecodeSession } from './decode-session.ts';
import { widened } from './half.ts';
import type { FloatType } from './native.ts';
import type { LayerTensors, LinearTensors, ModelTensors, ReferenceRequest } from './reference.ts';

/** What the reference needs for the same decode from the same numbers, read from the session's device. */
export function referenceRequest(session: DecodeSession, decode: DecodePlan): ReferenceRequest {
  const { shape, batch, microBatches, contexts, precision } = decode.request;
  const { ropeTheta, normEpsilon } = decode.plan.model;
  const type = precision.activations as FloatType;
  const ofEach = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  return {
    shape,
    tensors: readTensors(session, decode),
    batch,
    microBatches,
    context: contexts[0],
    steps: contexts.length,
    ropeTheta,
    normEpsilon,
    cached: ofEach(shape.layers, (layer) =>
      ofEach(microBatches, (j) => widened(session.cachedActivations(decode, layer, j), type)),
    ),
  };
}

function readTensors(session: DecodeSession, { request, buffers }: DecodePlan): ModelTensors {
  const { shape, precision, placement } = request;
  const size = bytesPerElement(precision.weights);
  const part = (buffer: number, { offset, elements }: WeightPart) =>
    widened(session.read(buffer, offset * size, elements * size), precision.weights as FloatType);
  const linear = (buffer: number, { weight, bias }: Linear): LinearTensors => ({
    weight: part(buffer, weight),
    ...(bias && { bias: part(buffer, bias) }),
  });
  const offloaded = placement.weights === 'host';
  const layers = Array.from({ length: shape.layers }, (_, layer): LayerTensors => {
    const kv = (offloaded ? buffers.hostKvProjection : buffers.kvProjection)[layer];
    const rest = (offloaded ? buffers.hostRestOfWeights : buffers.restOfWeights)[layer];
    const layout = layerLayout(shape, layer);
    const { keys, values, query, out, norms, queryNorm, keyNorm, up, down } = layout;
    if (!keys || !values || !query || !out || !up || !down) {
      throw new Error(`${shape.name} has latent attention or routed experts, which have no tensors to read`);
    }
    return {
      keys: linear(kv, keys),
      values: linear(kv, values),
      query: linear(rest, query),
      out: linear(rest, out),
      attentionNorm: linear(rest, norms[0]),
      feedForwardNorm: linear(rest, norms[1]),
      ...(queryNorm && { queryNorm: linear(rest, queryNorm) }),
      ...(keyNorm && { keyNorm: linear(rest, keyNorm) }),
      up: up.map((panel) => linear(rest, panel)),
      down: linear(rest, down),
    };
  });
  const { embedding, positions, finalNorm, head } = endLayout(shape);
  return {
    layers,
    embedding: part(buffers.endWeights, embedding),
    ...(positions && { positions: part(buffers.endWeights, positions) }),
    finalNorm: linear(buffers.endWeights, finalNorm),
    head: part(buffers.endWeights, head),
  };
}
