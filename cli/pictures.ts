import type { PictureSpec } from '../sim/report/theme.ts';

/** Draws a picture into the files that were asked for. */
export type DrawPicture = (spec: () => PictureSpec) => Promise<void>;

/**
 * Checks the endings of the files before any work is done; what draws is only loaded where there is a picture to draw.
 * Throws an InputError for an ending that is none of .svg, .png, .html and .vl.json.
 */
export async function pictureDrawer(files: readonly string[] = []): Promise<DrawPicture> {
  if (files.length === 0) return async () => {};
  const { pictureFormat, renderPicture } = await import('./render/render.ts');
  for (const file of files) pictureFormat(file);
  return async (spec) => {
    const picture = spec();
    for (const file of files) await renderPicture(picture, file);
  };
}
