import { isWindowedLayer } from '../model/quantities.ts';
import type { ModelShape } from '../model/shape.ts';

/** Layers that attend the same tokens: all of them, or only a window. A split is chosen per group. */
export interface LayerGroup {
  /** Cached tokens that its layers attend at most; Infinity without a window. */
  window: number;
  layers: number;
}

export interface LayerGroups {
  groups: LayerGroup[];
  /** Group of each layer. */
  of: Uint8Array;
  /** After the first `lead` layers, every `period` layers the same kinds of layer come again. */
  lead: number;
  period: number;
}

export function layerGroups(shape: ModelShape): LayerGroups {
  const groups: LayerGroup[] = [];
  const of = new Uint8Array(shape.layers);
  for (let layer = 0; layer < shape.layers; layer++) {
    const window = shape.window && isWindowedLayer(shape, layer) ? shape.window.size : Number.POSITIVE_INFINITY;
    let group = groups.findIndex((known) => known.window === window);
    if (group < 0) group = groups.push({ window, layers: 0 }) - 1;
    groups[group].layers++;
    of[layer] = group;
  }
  return { groups, of, lead: shape.moe?.denseLayers ?? 0, period: shape.window?.every || 1 };
}
