import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../sim/scenario/yaml.ts';

describe('a document', () => {
  it('is plain data, from YAML or JSON', () => {
    expect(parseDocument('a: 1\nb: [x, 37%, 2.5]\nc: { d: null }')).toEqual({
      a: 1,
      b: ['x', '37%', 2.5],
      c: { d: null },
    });
    expect(parseDocument('{\n\t"a": [1, "x"],\n\t"b": {"c": true}\n}')).toEqual({ a: [1, 'x'], b: { c: true } });
  });

  it('reads words and dates as YAML 1.2 does: as text', () => {
    expect(parseDocument('[no, on, 2026-01-01, 8 GB/s]')).toEqual(['no', 'on', '2026-01-01', '8 GB/s']);
  });

  it('may use an anchor a few times', () => {
    expect(parseDocument('a: &x [1]\nb: *x')).toEqual({ a: [1], b: [1] });
  });

  it('may give an anchor anew to a part of itself', () => {
    expect(parseDocument('&a [&a x, *a]')).toEqual(['x', 'x']);
  });

  const billion = ['a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]'];
  for (let i = 1; i < 12; i++)
    billion.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );

  it.each([
    ['anchors that explode', billion.join('\n'), /aliases that multiply/],
    ['an alias that contains itself', 'a: 1\nmodel: &a [*a]', /line 2: found the alias \*a inside what it stands for/],
    ['an alias that contains itself further down', '&a { b: &b [c, { d: *a }], e: *b }', /found the alias \*a inside/],
    [
      'aliases in aliases that nest without end',
      Array.from({ length: 90 }, (_, i) => `a${i}: &a${i} [${i ? `*a${i - 1}` : ''}]`).join('\n'),
      /deeper nesting/,
    ],
    ['a key given twice', 'a: 1\nb: 2\na: 3', /line 3: found the key "a" a second time, expected every key once/],
    ['a key given twice with different quotes', 'a: 1\n"a": 3', /a second time/],
    ['a tag of its own', 'a: !money 3', /line 1: found bad syntax/],
    ['a second document', 'a: 1\n---\nb: 2', /found 2 documents, expected one/],
    ['bad indentation', 'a:\n  b: 1\n c: 2', /line 3: found bad syntax/],
    ['a quote that does not end', 'a: "b', /found bad syntax/],
    ['a list as a key', '[a, b]: 1', /found a compound key/],
    ['an alias without an anchor', 'a: *nowhere', /found bad syntax/],
    ['brackets without end', '['.repeat(10_000), /deeper nesting/],
    ['lists in lists without end', '- '.repeat(10_000), /deeper nesting/],
    [
      'maps nested a thousand deep',
      Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /deeper nesting/,
    ],
    ['a key that could reach the prototype', 'a: 1\n__proto__: { b: 1 }', /line 2: found the key "__proto__"/],
    ['a zero byte', 'a: \0', /binary data/],
    ['nothing', '', /found nothing/],
    ['comments only', '# nothing\n', /found nothing/],
    ['too many characters', `a: ${'x'.repeat(70_000)}`, /found 70003 characters, expected at most 65536/],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parseDocument(text)).toThrow(message);
    expect(() => parseDocument(text)).toThrow(expect.objectContaining({ name: 'InputError' }));
  });

  it('with thousands of keys is read', () => {
    const text = Array.from({ length: 5_000 }, (_, i) => `k${i}: 1`).join('\n');
    expect(Object.keys(parseDocument(text) as object)).toHaveLength(5_000);
  });
});
