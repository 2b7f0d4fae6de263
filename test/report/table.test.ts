import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { fit, money, moneyDecimals, widthOf } from '../../src/report/cells.ts';
import { formatTable, report, spend } from '../../src/report/index.ts';
import { sampleRecord } from '../../src/testing/index.ts';

describe('formatTable', () => {
  test('shows an answer: numbers to the right, what is left out, the total', async () => {
    const records = [
      ['gpt-5', '12.5'],
      ['gpt-5', '100'],
      ['日本語モデル', '0.001'],
      ['c', null],
      ['d', null],
    ].map(([model, usd]) =>
      sampleRecord({
        responseModel: model ?? undefined,
        cost: { usd: usd ?? null, price: usd === null ? 'unpriced' : 'exact' },
      }),
    );
    const answer = await report(records, spend({ by: ['model'], top: 3 }));
    const columns = ['model', 'calls', 'inputTokens', 'cost', 'unpriced'];
    expect(formatTable(answer, { columns })).toBe(
      `
model         calls  input tokens     cost  unpriced
────────────────────────────────────────────────────
gpt-5             2         2,400  $112.50         0
日本語モデル      1         1,200   <$0.01         0
c                 1         1,200        -         1
────────────────────────────────────────────────────
other             1         1,200        -         1
total             5         6,000  $112.50         2`.trimStart(),
    );
    expect(formatTable(answer.rows).split('\n')).toHaveLength(5);
    expect(formatTable(answer)).toContain('unpriced tokens');
  });

  test('shows a share as per cent, what is not known as -, and no column twice', () => {
    const rows = [
      { name: 'a', hitRate: 0.5, ms: 1.25, isNew: true, when: null, nested: { a: 1 } },
      { name: 'b', hitRate: null, ms: 20, isNew: false, when: '2026', extra: 1 },
    ];
    expect(formatTable(rows)).toBe(
      `
name  hit rate    ms  is new  when  nested
──────────────────────────────────────────
a       50.0 %   1.3  true    -
b            -  20.0  false   2026`.trimStart(),
    );
  });

  test('of one row without dimensions has no second line for the total', async () => {
    const answer = await report([sampleRecord()], spend());
    expect(formatTable(answer).split('\n')).toHaveLength(3);
  });

  test('of nothing says so', async () => {
    expect(formatTable([])).toBe('nothing');
    expect(formatTable(await report([], spend({ by: ['model'] })))).toBe('nothing');
    expect(formatTable([], { columns: ['a'] })).toBe('nothing');
  });

  test('lets no text of others move the cursor, break lines or turn around', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (names) => {
        const table = formatTable(names.map((name) => ({ name, calls: 1 })));
        expect(table.split('\n')).toHaveLength(names.length + 2);
        expect(stripVTControlCharacters(table)).toBe(table);
        expect(table).not.toMatch(/[\p{Cs}\u202a-\u202e\u2066-\u2069]|[^\P{Cc}\n]/u);
      }),
    );
    expect(formatTable([{ name: '\u001b[2Jgone\r\nhere' }])).toContain(
      '\ufffd[2Jgone\ufffd\ufffdhere',
    );
  });

  test('cuts long texts, never in the middle of what looks like one character', () => {
    const family = '👩‍👩‍👧‍👦';
    const [, , line] = formatTable([{ name: family.repeat(40) }], { maxWidth: 11 }).split('\n');
    expect(line).toBe(`${family.repeat(5)}…`);
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 20 }),
        (text, columns) => {
          expect(widthOf(fit(text, columns))).toBeLessThanOrEqual(columns);
          if (widthOf(text) <= columns) expect(fit(text, columns)).toBe(text);
        },
      ),
    );
  });
});

describe('money', () => {
  test.each([
    [0n, 2, '$0.00'],
    [1n, 2, '<$0.01'],
    [-1n, 4, '-<$0.0001'],
    [4_999_999_999n, 2, '<$0.01'],
    [5_000_000_000n, 2, '$0.01'],
    [1_234_567_890_000_000_000n, 2, '$1,234,567.89'],
    [-1_999_600_000_000n, 3, '-$2.000'],
    [123n, 12, '$0.000000000123'],
  ])('%d with %d decimals is %s', (pico, decimals, expected) => {
    expect(money(pico, decimals)).toBe(expected);
  });

  test('has the decimals that its column needs', () => {
    const dollar = 10n ** 12n;
    expect(moneyDecimals([])).toBe(9);
    expect(moneyDecimals([1n, -200n * dollar])).toBe(2);
    expect(moneyDecimals([dollar])).toBe(4);
    expect(moneyDecimals([dollar / 50n])).toBe(6);
    expect(moneyDecimals([dollar / 5_000n])).toBe(9);
  });
});
