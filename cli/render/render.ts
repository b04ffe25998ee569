import { extname } from 'node:path';
import type { PictureSpec } from '../../sim/report/theme.ts';
import { InputError } from '../../sim/scenario/input-error.ts';
import { writeFileAtomically } from '../files.ts';
import { draw } from './draw.ts';
import { page } from './page.ts';
import { rasterise } from './rasterise.ts';

const FORMATS = ['.svg', '.png', '.html', '.vl.json'] as const;
type PictureFormat = (typeof FORMATS)[number];

/** The format that a picture's file name asks for by its ending. Throws an InputError for any other ending. */
export function pictureFormat(file: string): PictureFormat {
  const format = FORMATS.find((ending) => file.toLowerCase().endsWith(ending));
  if (format) return format;
  const ending = extname(file);
  throw new InputError({
    file,
    found: ending ? `the ending ${ending}` : 'no ending',
    expected: '.svg, .png, .html or .vl.json',
  });
}

/**
 * Draws a Vega-Lite picture into a file: `.svg`, `.png` (two pixels a unit), `.html` (self-contained) or `.vl.json` (the
 * specification itself). Throws an InputError for another ending or a place where nothing can be written.
 */
export async function renderPicture(spec: PictureSpec, file: string): Promise<void> {
  writeFileAtomically(file, await renderAs(spec, pictureFormat(file)));
}

async function renderAs(spec: PictureSpec, format: PictureFormat): Promise<string | Uint8Array> {
  if (format === '.vl.json') return `${JSON.stringify(spec, null, 2)}\n`;
  const picture = await draw(spec);
  if (format === '.html') return page(spec, picture);
  return format === '.png' ? rasterise(picture.svg) : picture.svg;
}
