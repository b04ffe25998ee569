import { DEEPSEEK } from './catalogue/deepseek.ts';
import type { ModelEntry } from './catalogue/entry.ts';
import { GEMMA_MODELS } from './catalogue/gemma.ts';
import { GPT_OSS } from './catalogue/gpt-oss.ts';
import { LLAMA } from './catalogue/llama.ts';
import { MISTRAL } from './catalogue/mistral.ts';
import { MULTI_QUERY } from './catalogue/multi-query.ts';
import { OPT } from './catalogue/opt.ts';
import { PHI } from './catalogue/phi.ts';
import { QWEN } from './catalogue/qwen.ts';
import type { ModelShape } from './shape.ts';

export type { ModelEntry } from './catalogue/entry.ts';

const ENTRIES: ReadonlyMap<string, ModelEntry> = new Map(
  [OPT, LLAMA, MISTRAL, QWEN, DEEPSEEK, GEMMA_MODELS, PHI, GPT_OSS, MULTI_QUERY]
    .flat()
    .map((entry) => [entry.shape.name, entry]),
);

/** Names of all models in the catalogue, family by family, small to large. */
export const MODEL_NAMES: readonly string[] = [...ENTRIES.keys()];

/** The model of that name with its source, or undefined where the catalogue has none. */
export function modelEntry(name: string): ModelEntry | undefined {
  return ENTRIES.get(name);
}

/** The shape of the model of that name, or undefined where the catalogue has none. Treat it as read-only. */
export function findModel(name: string): ModelShape | undefined {
  return ENTRIES.get(name)?.shape;
}
