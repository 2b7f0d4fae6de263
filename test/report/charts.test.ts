import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { barChartSvg, lineChartSvg } from '../../src/report/index.ts';

const DOLLAR = 10n ** 12n;

/** Whether a text is well-formed XML as far as these pictures use it: every tag is closed, nothing stands open. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const pattern = /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<>]*")*)\s*(\/?)>|([^<>]+)/gy;
  let end = 0;
  for (const match of svg.matchAll(pattern)) {
    end = match.index + match[0].length;
    const [, closes, name = '', , isEmpty, text] = match;
    if (text !== undefined) expect(text).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#39;)/);
    else if (closes === '/') expect(open.pop()).toBe(name);
    else if (isEmpty !== '/') open.push(name);
  }
  expect(end).toBe(svg.length);
  expect(open).toEqual([]);
  // eslint-disable-next-line no-control-regex
  expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\p{Cs}\ufffe\uffff]|NaN|Infinity|undefined/u);
}

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const anyValue = fc.oneof(
  fc.double(),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  fc.constant(null),
);

describe.each([
  [
    'barChartSvg',
    (title: string, names: string[], values: Array<number | bigint | null>, width: number) =>
      barChartSvg({
        title,
        width,
        bars: names.map((label, i) => ({ label, value: values[i] ?? null })),
      }),
  ],
  [
    'lineChartSvg',
    (title: string, names: string[], values: Array<number | bigint | null>, width: number) =>
      lineChartSvg({
        title,
        width,
        labels: names,
        series: [
          { name: title, values },
          { name: 'b', values: values.toReversed() },
        ],
      }),
  ],
])('%s', (_, draw) => {
  test('draws whatever it is given, as well-formed XML without odd numbers', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.array(anyText, { maxLength: 8 }),
        fc.array(anyValue, { maxLength: 8 }),
        fc.integer({ min: 0, max: 2_000 }),
        (title, names, values, width) => {
          expectWellFormed(draw(title, names, values, width));
        },
      ),
    );
  });

  test('is the same for the same input, and names itself by it', () => {
    const [one, same, other] = [
      [1, 2],
      [1, 2],
      [1, 3],
    ].map((values) => draw('Cost', ['a', 'b'], values, 500));
    expect(same).toBe(one);
    const idOf = (svg = '') => / id="(chart-\w+)"/.exec(svg)?.[1];
    expect(idOf(other)).not.toBe(idOf(one));
    expect(one).toContain(`aria-labelledby="${idOf(one)}-title ${idOf(one)}-desc"`);
    expect(one).toContain('<title id=');
    // No rule without the picture's own name: styles of a picture in a page hold for all of it.
    const rules = /<style>([^]*)<\/style>/.exec(one ?? '')?.[1]?.match(/^[^@}\n].*\{/gm) ?? [];
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter((rule) => !rule.startsWith(`#${idOf(one)} `))).toEqual([]);
    expect(one).toContain('@media (prefers-color-scheme:dark)');
  });
});

describe('barChartSvg', () => {
  test('draws lengths in proportion, and says the values', () => {
    const svg = barChartSvg({
      title: 'Cost',
      bars: [
        { label: 'a', value: 4n * DOLLAR },
        { label: 'b', value: DOLLAR },
        { label: 'c', value: null },
      ],
    });
    const [a, b, c] = [...svg.matchAll(/<rect class="fill-0".*? width="([\d.]+)"/g)].map((match) =>
      Number(match[1]),
    );
    expect(a).toBeCloseTo(4 * b!, 0);
    expect(c).toBe(0);
    expect(svg).toContain('<desc id="');
    expect(svg).toContain('>a: $4.0000; b: $1.0000; c: not known</desc>');
  });
});

describe('lineChartSvg', () => {
  const days = ['1', '2', '3', '4', '5'];
  const pathOf = (svg: string) =>
    /<path class="line line-0" d="([^"]*L[^"]*|M[\d. M]*)"/g.exec(svg)?.[1];

  test('leaves a gap where a value is not known, and a dot where one stands alone', () => {
    const svg = lineChartSvg({
      title: 'Cost',
      labels: days,
      series: [{ name: 'a', values: [1, 2, null, 3, null] }],
    });
    const drawn = [...svg.matchAll(/d="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(drawn.at(-1)?.replaceAll(/[\d. ]/g, '')).toBe('MLM');
    expect(svg.match(/<circle/g)).toHaveLength(1);
    expect(pathOf(svg)).toBeDefined();
  });

  test('has a scale of round numbers from 0 up to the largest value', () => {
    const ticks = (values: Array<number | bigint>) => {
      const svg = lineChartSvg({ title: 't', labels: days, series: [{ name: 'a', values }] });
      return [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map((match) => match[1]);
    };
    expect(ticks([0, 730])).toEqual(['0', '200', '400', '600', '800']);
    expect(ticks([0.3])).toEqual(['0.0', '0.1', '0.2', '0.3']);
    expect(ticks([DOLLAR / 2n])).toEqual(['$0.00', '$0.10', '$0.20', '$0.30', '$0.40', '$0.50']);
    expect(ticks([12_345n * DOLLAR])).toEqual(['$0.00', '$5,000.00', '$10,000.00', '$15,000.00']);
    expect(ticks([0n])).toEqual(['$0.00', '$1.00']);
  });

  test('says in words what it shows', () => {
    const svg = lineChartSvg({
      title: 'Cost',
      labels: days,
      series: [
        { name: 'acme', values: [DOLLAR, 3n * DOLLAR, null] },
        { name: 'none', values: [] },
      ],
    });
    expect(svg).toContain('>1 to 5; acme: at most $3.0000 (2); none: not known</desc>');
    const own = lineChartSvg({ title: 'Cost', description: 'A & B', labels: [], series: [] });
    expect(own).toContain('>A &amp; B</desc>');
  });
});
