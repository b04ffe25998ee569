import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { PictureSpec } from '../../sim/report/theme.ts';
import type { DrawnPicture } from './draw.ts';

/**
 * A page that needs nothing but itself: the picture as SVG, which Vega (inlined) replaces by one with tooltips and zooming where
 * scripts run. The Vega-Lite specification with its data is in the element `#vega-lite`. Its policy forbids every request.
 */
export function page(spec: PictureSpec, picture: DrawnPicture): string {
  const vega = join(dirname(createRequire(import.meta.url).resolve('vega')), 'vega.min.js');
  const title = escapeHtml(picture.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body { margin: 1rem; background: #fff } #picture { overflow-x: auto }</style>
</head>
<body>
<div id="picture">${picture.svg}</div>
<script type="application/json" id="vega-lite">${escapeScriptJson(spec)}</script>
<script type="application/json" id="vega">${escapeScriptJson(picture.vegaSpec)}</script>
<script>${readFileSync(vega, 'utf8')}</script>
<script>
const spec = JSON.parse(document.getElementById('vega').textContent);
const container = document.getElementById('picture');
container.replaceChildren();
new vega.View(vega.parse(spec), { renderer: 'svg', container, hover: true }).runAsync();
</script>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON that cannot end the script element it stands in: the same value, with `<` as an escape. */
function escapeScriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
