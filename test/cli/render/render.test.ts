import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { rasterise } from '../../../cli/render/rasterise.ts';
import { renderPicture } from '../../../cli/render/render.ts';
import { schedulesSpec } from '../../../sim/report/schedules.ts';
import { InputError } from '../../../sim/scenario/input-error.ts';
import { planResult } from '../../sim/report/result.ts';

const folder = mkdtempSync(join(tmpdir(), 'splitpoint-render-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hostile = '</script><script>alert(1)</script><img src="http://example.com/x.png">';
const result = { ...planResult(), scenario: hostile };
const spec = schedulesSpec(result, { title: `</title>${hostile}` });

async function rendered(name: string): Promise<Buffer> {
  const file = join(folder, name);
  await renderPicture(spec, file);
  return readFileSync(file);
}

test('.vl.json holds the specification itself', async () => {
  expect(JSON.parse((await rendered('picture.vl.json')).toString())).toEqual(JSON.parse(JSON.stringify(spec)));
});

test('.svg holds the texts with their units, and hostile names only as text', async () => {
  const svg = (await rendered('picture.svg')).toString();
  expect(svg).toMatch(/^<svg /);
  expect(svg).toContain('>Mean time of a step (ms); black marks: the bound</text>');
  expect(svg).toContain('>GPU busy (%)</text>');
  expect(svg).not.toContain('<script');
  expect(svg).not.toContain('<img');
});

test('.png is a picture of two pixels a unit', async () => {
  const png = await rendered('picture.PNG');
  const svg = (await rendered('picture.svg')).toString();
  expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const [, width, height] = svg.match(/width="(\d+)" height="(\d+)"/)!;
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2 * Number(width), 2 * Number(height)]);
});

test('text reaches the pixels of a PNG, bold text others than regular text', async () => {
  const drawing = (text: string, weight: number) =>
    rasterise(
      `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="30"><text x="5" y="20" font-weight="${weight}" ` +
        `font-family="Inter, Helvetica, Arial, sans-serif">${text}</text></svg>`,
    );
  const [empty, regular, bold] = await Promise.all([drawing('', 400), drawing('text', 400), drawing('text', 700)]);
  expect(regular).not.toEqual(empty);
  expect(bold).not.toEqual(regular);
});

test('.html asks the network for nothing and keeps hostile names as text', async () => {
  const html = (await rendered('picture.html')).toString();
  expect(html).toContain(`content="default-src 'none';`);
  const markup = html.replace(/(<script[^>]*>).*?(<\/script>)/gs, '$1$2');
  expect(markup).not.toMatch(/<(?:link|img|iframe|base|object|embed)\b/i);
  const tags = markup.match(/<[a-z](?:"[^"]*"|[^<>"])*>/gi)!.map((tag) => tag.replace(/"[^"]*"/g, '""'));
  expect(tags.length).toBeGreaterThan(100);
  expect(tags.filter((tag) => /\s(?:src|href|xlink:href|action)=/i.test(tag))).toEqual([]);
  const opened = html.match(/<script[^>]*>/g)!;
  expect(opened).toEqual([
    '<script type="application/json" id="vega-lite">',
    '<script type="application/json" id="vega">',
    '<script>',
    '<script>',
  ]);
  expect(html.match(/<\/script>/g)).toHaveLength(4);
  expect(html).toContain('<title>&#60;/title&#62;');
});

test('.html holds the specification, the picture, and a Vega that draws it', async () => {
  const html = (await rendered('picture.html')).toString();
  expect(html).toContain('>GPU busy (%)</text>');
  const [viewport, vegaLite, vegaSpec, vegaSource] = html
    .split(/<script[^>]*>/)
    .map((part) => part.split('</script>')[0]);
  expect(viewport).toContain('<meta charset="utf-8">');
  expect(JSON.parse(vegaLite)).toEqual(JSON.parse(JSON.stringify(spec)));
  const context = createContext({ structuredClone, setTimeout, spec: JSON.parse(vegaSpec) });
  runInContext(vegaSource, context);
  const svg = await runInContext(`new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG()`, context);
  expect(svg).toContain('>GPU busy (%)</text>');
});

test('the same specification gives the same files', async () => {
  for (const name of ['same.svg', 'same.png', 'same.html', 'same.vl.json']) {
    expect((await rendered(name)).equals(await rendered(name))).toBe(true);
  }
});

test('any other ending is bad input, and nothing is written', async () => {
  const before = readdirSync(folder);
  for (const name of ['picture.pdf', 'picture', 'picture.json', '.png/']) {
    await expect(renderPicture(spec, join(folder, name))).rejects.toThrow(InputError);
  }
  await expect(renderPicture(spec, join(folder, 'picture.pdf'))).rejects.toThrow(
    /found the ending \.pdf, expected \.svg, \.png, \.html or \.vl\.json/,
  );
  expect(readdirSync(folder)).toEqual(before);
});
