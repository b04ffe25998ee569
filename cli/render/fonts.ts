import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** TrueType files of the family that pictures are set in; the package brings them, so that pictures are alike on every system. */
export const INTER = {
  family: 'Inter',
  regular: require.resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'),
  bold: require.resolve('@expo-google-fonts/inter/700Bold/Inter_700Bold.ttf'),
};

/** Width of `text`, in ems. */
export type MeasureText = (text: string) => number;

/**
 * Measures text by the advance widths of a TrueType file (tables head, hhea, hmtx and cmap format 4, as the OpenType specification
 * lays them out), without kerning. Characters beyond the basic plane or the font count as its missing glyph.
 */
export function trueTypeMeasure(file: string): MeasureText {
  const bytes = readFileSync(file);
  const table = (tag: string) => {
    for (let i = 0; i < bytes.readUInt16BE(4); i++) {
      const record = 12 + 16 * i;
      if (bytes.toString('latin1', record, record + 4) === tag) return bytes.readUInt32BE(record + 8);
    }
    throw new Error(`${file} has no table ${tag}`);
  };
  const unitsPerEm = bytes.readUInt16BE(table('head') + 18);
  const longMetrics = bytes.readUInt16BE(table('hhea') + 34);
  const advances = table('hmtx');
  const glyph = glyphIndex(bytes, table('cmap'));
  return (text) => {
    let units = 0;
    for (const character of text) {
      units += bytes.readUInt16BE(advances + 4 * Math.min(glyph(character.codePointAt(0)!), longMetrics - 1));
    }
    return units / unitsPerEm;
  };
}

/** Glyph of a code point by the `cmap` subtable of format 4; 0, the missing glyph, for what it does not hold. */
function glyphIndex(bytes: Buffer, cmap: number): (codePoint: number) => number {
  const subtables = Array.from(
    { length: bytes.readUInt16BE(cmap + 2) },
    (_, i) => cmap + bytes.readUInt32BE(cmap + 8 + 8 * i),
  );
  const subtable = subtables.find((offset) => bytes.readUInt16BE(offset) === 4);
  if (subtable === undefined) return () => 0;
  const doubledSegments = bytes.readUInt16BE(subtable + 6);
  const ends = subtable + 14;
  const starts = ends + doubledSegments + 2;
  const deltas = starts + doubledSegments;
  const rangeOffsets = deltas + doubledSegments;
  return (codePoint) => {
    if (codePoint > 0xffff) return 0;
    let segment = 0;
    while (bytes.readUInt16BE(ends + segment) < codePoint) segment += 2;
    const start = bytes.readUInt16BE(starts + segment);
    if (start > codePoint) return 0;
    const delta = bytes.readUInt16BE(deltas + segment);
    const rangeOffset = bytes.readUInt16BE(rangeOffsets + segment);
    if (rangeOffset === 0) return (codePoint + delta) & 0xffff;
    const found = bytes.readUInt16BE(rangeOffsets + segment + rangeOffset + 2 * (codePoint - start));
    return found === 0 ? 0 : (found + delta) & 0xffff;
  };
}
