import * as vega from 'vega';
import { compile } from 'vega-lite';
import type { PictureSpec } from '../../../sim/report/theme.ts';

/** The warnings and errors that Vega-Lite has about a specification. */
export function complaints(spec: PictureSpec): string[] {
  const messages: string[] = [];
  const note = (...words: readonly unknown[]) => {
    messages.push(words.join(' '));
    return logger;
  };
  const silent = () => logger;
  const level = (() => logger) as never;
  const logger: vega.LoggerInterface = { level, error: note, warn: note, info: silent, debug: silent };
  compile(spec, { logger });
  return messages;
}

/** The texts of a drawn picture, in the order they are drawn. */
export async function textsOf(spec: PictureSpec): Promise<string[]> {
  const svg = await new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' }).toSVG();
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
}

/** A value inside a specification, by keys and indices; undefined where there is none. */
export function at(spec: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], spec);
}

/** The rows of data that stand at a place of a specification. */
export function rowsAt(spec: unknown, ...path: (string | number)[]): Record<string, never>[] {
  return at(spec, ...path, 'data', 'values') as Record<string, never>[];
}
