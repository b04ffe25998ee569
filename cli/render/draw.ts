import type { PictureSpec } from '../../sim/report/theme.ts';
import { INTER, trueTypeMeasure } from './fonts.ts';

export interface DrawnPicture {
  title: string;
  svg: string;
  /** The Vega specification that the Vega-Lite one compiles to. */
  vegaSpec: object;
}

/** The part of a Vega text item that its width follows from. */
interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
  limit?: number;
}

/** Vega's own text measurement, which may be replaced; its type declarations leave it out. */
interface TextMetrics {
  textMetrics: { width: (item: TextItem, text: unknown) => number };
}

/** Draws a picture without canvas or browser. Vega is loaded only here, so that commands that draw nothing start fast. */
export async function draw(spec: PictureSpec): Promise<DrawnPicture> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  (vega as unknown as TextMetrics).textMetrics.width = textWidth();
  const vegaSpec = vegaLite.compile(spec).spec;
  const svg = await new vega.View(vega.parse(vegaSpec), { renderer: 'none' }).toSVG();
  return { title: titleText(spec), svg, vegaSpec };
}

/** Without a canvas Vega takes every character as 0.8 em wide, which leaves holes in legends and margins; the font knows better. */
function textWidth(): TextMetrics['textMetrics']['width'] {
  const regular = trueTypeMeasure(INTER.regular);
  const bold = trueTypeMeasure(INTER.bold);
  return (item, text) => {
    const measure = item.fontWeight === 'bold' || Number(item.fontWeight) >= 600 ? bold : regular;
    const width = measure(`${text ?? ''}`.trim()) * (item.fontSize ?? 11);
    return item.limit ? Math.min(width, item.limit) : width;
  };
}

function titleText(spec: PictureSpec): string {
  const title = typeof spec.title === 'object' && 'text' in spec.title ? spec.title.text : spec.title;
  if (typeof title === 'string') return title;
  return Array.isArray(title) ? title.join(' ') : 'splitpoint';
}
