import type { Config, TopLevelSpec } from 'vega-lite';
import type { GroupName } from '../plan/plan.ts';

/** A Vega-Lite 6 specification, complete with its data: nothing has to be fetched to draw it. */
export type PictureSpec = TopLevelSpec;
/** One of the pictures side by side in a specification. */
export type ColumnSpec = Extract<TopLevelSpec, { hconcat: unknown }>['hconcat'][number];

export const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Pictures are set in Inter where it is present (always in PNG files), else in what the viewer has. */
const FONT = 'Inter, Helvetica, Arial, sans-serif';

export const INK = '#1f2328';
export const MUTED = '#5c6670';
export const FAINT = '#e4e7eb';

/**
 * What each group of operations is called and how it is filled. Groups that share a row of the Gantt chart differ in lightness, so
 * that they differ in greyscale and for the colour-blind. Recomputing and what feeds it are orange, what it replaces is blue.
 */
export const GROUP_STYLE: Record<GroupName, { words: string; fill: string; text: string }> = {
  'copy-activation': { words: 'copy activation', fill: '#fbd3a1', text: INK },
  'copy-kv': { words: 'copy KV', fill: '#3d7fc4', text: '#ffffff' },
  'copy-weights': { words: 'copy weights', fill: '#40306e', text: '#ffffff' },
  recompute: { words: 'recompute K,V', fill: '#ec9a29', text: INK },
  block: { words: 'block', fill: '#17694a', text: '#ffffff' },
  store: { words: 'store', fill: '#b565a0', text: '#ffffff' },
  'host-attention': { words: 'host attention', fill: '#8fd0c4', text: INK },
  embed: { words: 'embed', fill: '#d3d7dc', text: INK },
  head: { words: 'head', fill: '#33383d', text: '#ffffff' },
  'step-end': { words: 'step end', fill: '#000000', text: '#ffffff' },
};

/** Look shared by every picture. */
export const THEME: Config = {
  background: '#ffffff',
  padding: 16,
  font: FONT,
  view: { stroke: null },
  title: {
    anchor: 'start',
    frame: 'group',
    fontSize: 17,
    fontWeight: 700,
    color: INK,
    subtitleFontSize: 12.5,
    subtitleColor: MUTED,
    subtitlePadding: 6,
    offset: 18,
  },
  axis: {
    labelFontSize: 12,
    labelColor: INK,
    titleFontSize: 12.5,
    titleFontWeight: 400,
    titleColor: MUTED,
    titlePadding: 8,
    gridColor: FAINT,
    domainColor: '#aab2ba',
    tickColor: '#aab2ba',
    labelLimit: 260,
  },
  legend: {
    labelFontSize: 12,
    labelColor: INK,
    titleFontSize: 12.5,
    titleFontWeight: 400,
    titleColor: MUTED,
    symbolSize: 170,
    labelLimit: 260,
  },
  text: { fontSize: 12, color: INK },
};

/** `text` in at most `length` characters, the last one an ellipsis where something was cut; line breaks become spaces. */
export function cutText(text: string, length: number): string {
  const characters = Array.from(text.replace(/\s+/g, ' ').trim());
  if (characters.length <= length) return characters.join('');
  return `${characters
    .slice(0, length - 1)
    .join('')
    .trimEnd()}…`;
}

/** `text` broken at spaces into lines of at most `length` characters; what needs more than `lines` lines is cut. */
export function wrapText(text: string, length: number, lines: number): string[] {
  const wrapped: string[] = [];
  let rest = cutText(text, length * lines);
  while (Array.from(rest).length > length && wrapped.length < lines - 1) {
    const space = rest.lastIndexOf(' ', length);
    const line = space > 0 ? rest.slice(0, space) : Array.from(rest).slice(0, length).join('');
    wrapped.push(line);
    rest = rest.slice(line.length).trimStart();
  }
  wrapped.push(cutText(rest, length));
  return wrapped;
}

/** Title (at most two lines) and subtitle of a picture about `width` pixels wide. */
export function pictureTitle(title: string, subtitle: string, width: number) {
  return {
    text: wrapText(title, Math.floor(width / 8.7), 2),
    subtitle: wrapText(subtitle, Math.floor(width / 6.5), 2),
  };
}
