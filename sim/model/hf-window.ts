import type { ConfigFields } from './config-fields.ts';
import { LIMITS } from './limits.ts';
import type { SlidingWindow } from './shape.ts';

/** What a family does where its config is silent. */
export interface WindowHabits {
  /** Window of a config without `sliding_window`; absent: none. */
  size?: number;
  /** Whether the layer (from 0) is windowed in a config without `layer_types`. */
  isWindowed: (layer: number) => boolean;
  /** Field that governs `isWindowed`, for errors. */
  patternField: string;
}

/**
 * The sliding window of a config, undefined where no layer has one or where it is no shorter than the longest context.
 * Throws InputError where the windowed layers are not all but every n-th.
 */
export function readWindow(
  config: ConfigFields,
  { layers, maxContextTokens = Infinity }: { layers: number; maxContextTokens?: number },
  habits: WindowHabits,
): SlidingWindow | undefined {
  const listed = listedLayers(config, layers);
  const windowed = listed ?? Array.from({ length: layers }, (_, layer) => habits.isWindowed(layer));
  if (!windowed.includes(true)) return undefined;

  const size = config.has('sliding_window')
    ? config.optionalInteger('sliding_window', { most: LIMITS.contextTokens })
    : habits.size;
  if (size === undefined && listed)
    throw config.refusal('sliding_window', 'the window of the sliding_attention layers');
  if (size === undefined || size >= maxContextTokens) return undefined;

  const every = windowed.indexOf(false) + 1;
  if (windowed.some((isWindowed, layer) => isWindowed !== (every === 0 || (layer + 1) % every !== 0))) {
    throw config.refusal(
      listed ? 'layer_types' : habits.patternField,
      'a window in all layers or in all but every n-th',
    );
  }
  return { size, every };
}

/** Which layers `layer_types` says are windowed; undefined where it is absent. */
function listedLayers(config: ConfigFields, layers: number): boolean[] | undefined {
  const types = config.list('layer_types');
  if (types === undefined) return undefined;
  if (types.length !== layers) throw config.refusal('layer_types', `a list of ${layers}, one for each layer`);
  return types.map((type) => {
    if (type === 'sliding_attention' || type === 'full_attention') return type === 'sliding_attention';
    throw config.refusal('layer_types', 'only full_attention and sliding_attention');
  });
}
