import { INTER } from './fonts.ts';

/** PNG bytes of an SVG picture at `scale` pixels a unit, set in Inter whatever fonts the system has. */
export async function rasterise(svg: string, scale = 2): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const picture = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: { loadSystemFonts: false, fontFiles: [INTER.regular, INTER.bold], defaultFontFamily: INTER.family },
  });
  return picture.render().asPng();
}
