import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LimitReader, readLimits, readRetryAfter } from '../../src/limits/read-limits.ts';
import type { HeaderLookup } from '../../src/types.ts';

type Headers = Readonly<Record<string, string>>;

const of =
  (headers: Headers): HeaderLookup =>
  (name) =>
    headers[name];
const read = (headers: Headers, wallNow = 0): unknown[] =>
  readLimits(of(headers), wallNow).map(({ unit, limit, remaining, resetMs, windowMs }) => [
    unit,
    remaining,
    limit,
    resetMs,
    windowMs,
  ]);

/** As recorded from the providers; the days are in their `date`. */
describe('what providers say', () => {
  test('Anthropic: three limits, tokens in thousands, moments by its own clock', () => {
    const headers = {
      date: 'Wed, 26 Nov 2025 20:14:34 GMT',
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-requests-reset': '2025-11-26T20:14:36Z',
      'anthropic-ratelimit-input-tokens-limit': '30000',
      'anthropic-ratelimit-input-tokens-remaining': '29000',
      'anthropic-ratelimit-input-tokens-reset': '2025-11-26T20:14:33Z',
      'anthropic-ratelimit-output-tokens-limit': '8000',
      'anthropic-ratelimit-output-tokens-remaining': '8000',
      'anthropic-ratelimit-output-tokens-reset': '2025-11-26T20:14:34Z',
      'anthropic-ratelimit-tokens-limit': '38000',
      'anthropic-ratelimit-tokens-remaining': '37000',
      'anthropic-ratelimit-tokens-reset': '2025-11-26T20:14:33Z',
    };
    expect(read(headers)).toEqual([
      ['requests', 49, 50, 2000, undefined],
      ['inputTokens', 29_000, 30_000, 0, undefined],
      ['outputTokens', 8000, 8000, 0, undefined],
    ]);
    expect(readLimits(of(headers), 0).map(({ quantum }) => quantum)).toEqual([1, 1000, 1000]);
    expect(readLimits(of(headers), 0).map(({ coarseMs }) => coarseMs)).toEqual([1000, 1000, 1000]);
  });

  test('Anthropic of 2024: all tokens together', () => {
    expect(
      read({
        date: 'Tue, 04 Jun 2024 18:39:16 GMT',
        'anthropic-ratelimit-requests-limit': '5',
        'anthropic-ratelimit-requests-remaining': '4',
        'anthropic-ratelimit-requests-reset': '2024-06-04T18:39:57Z',
        'anthropic-ratelimit-tokens-limit': '10000',
        'anthropic-ratelimit-tokens-remaining': '10000',
        'anthropic-ratelimit-tokens-reset': '2024-06-04T18:39:57Z',
      }),
    ).toEqual([
      ['requests', 4, 5, 41_000, undefined],
      ['tokens', 10_000, 10_000, 41_000, undefined],
    ]);
  });

  test('OpenAI: durations, and the limits of the project beside those of the organisation', () => {
    expect(
      read({
        'x-ratelimit-limit-requests': '10000',
        'x-ratelimit-remaining-requests': '9999',
        'x-ratelimit-reset-requests': '8.64s',
        'x-ratelimit-limit-tokens': '200000',
        'x-ratelimit-remaining-tokens': '199973',
        'x-ratelimit-reset-tokens': '8ms',
        'x-ratelimit-limit-project-tokens': '150000000',
        'x-ratelimit-remaining-project-tokens': '149999735',
        'x-ratelimit-reset-project-tokens': '0s',
      }),
    ).toEqual([
      ['requests', 9999, 10_000, 8640, undefined],
      ['tokens', 199_973, 200_000, 8, undefined],
      ['tokens', 149_999_735, 150_000_000, 0, undefined],
    ]);
  });

  test('Azure: milliseconds without a unit, and how long the period is', () => {
    expect(
      read({
        'x-ratelimit-limit-requests': '120',
        'x-ratelimit-remaining-requests': '119',
        'x-ratelimit-reset-requests': '500',
        'x-ratelimit-renewalperiod-requests': '60',
        'x-ratelimit-limit-tokens': '120000',
        'x-ratelimit-remaining-tokens': '119986',
        'x-ratelimit-reset-tokens': '7',
        'x-ratelimit-renewalperiod-tokens': '60',
      }),
    ).toEqual([
      ['requests', 119, 120, 500, 60_000],
      ['tokens', 119_986, 120_000, 7, 60_000],
    ]);
  });

  test('Groq: requests by the day', () => {
    expect(
      read({
        'x-ratelimit-limit-requests': '1000',
        'x-ratelimit-remaining-requests': '983',
        'x-ratelimit-reset-requests': '24m28.8s',
        'x-ratelimit-limit-tokens': '12000',
        'x-ratelimit-remaining-tokens': '11866',
        'x-ratelimit-reset-tokens': '670ms',
      }),
    ).toEqual([
      ['requests', 983, 1000, 1_468_800, undefined],
      ['tokens', 11_866, 12_000, 670, undefined],
    ]);
  });

  test('Mistral: periods in the names, no reset; limits of a month are left alone', () => {
    expect(
      read({
        'x-ratelimit-limit-req-10-second': '60',
        'x-ratelimit-remaining-req-10-second': '59',
        'x-ratelimit-limit-req-minute': '500',
        'x-ratelimit-remaining-req-minute': '489',
        'x-ratelimit-limit-tokens-minute': '2000000',
        'x-ratelimit-remaining-tokens-minute': '1999893',
        'x-ratelimit-limit-tokens-month': '10000000000',
        'x-ratelimit-remaining-tokens-month': '9999999893',
      }),
    ).toEqual([
      ['requests', 489, 500, undefined, 60_000],
      ['requests', 59, 60, undefined, 10_000],
      ['tokens', 1_999_893, 2_000_000, undefined, 60_000],
    ]);
    expect(
      read({
        'ratelimitbysize-limit': '500000',
        'ratelimitbysize-remaining': '401381',
        'ratelimitbysize-reset': '33',
      }),
    ).toEqual([['tokens', 401_381, 500_000, 33_000, undefined]]);
  });

  test('xAI: no reset', () => {
    expect(
      read({ 'x-ratelimit-limit-requests': '1800', 'x-ratelimit-remaining-requests': '1788' }),
    ).toEqual([['requests', 1788, 1800, undefined, undefined]]);
  });

  test('Hugging Face', () => {
    expect(
      read({ 'ratelimit-limit': '400', 'ratelimit-remaining': '399', 'ratelimit-reset': '19' }),
    ).toEqual([['requests', 399, 400, 19_000, undefined]]);
  });

  test.each([
    ['seconds', '1795176012'],
    ['milliseconds', '1795176012000'],
  ])('Kimi and gateways: a moment in %s since 1970, by the clock of the answer', (_name, reset) => {
    const headers = {
      date: 'Fri, 20 Nov 2026 12:00:00 GMT',
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': '58',
      'x-ratelimit-reset': reset,
    };
    const hourOff = Date.UTC(2026, 10, 20, 13);
    expect(read(headers, hourOff)).toEqual([['requests', 58, 60, 12_000, undefined]]);
    expect(read({ ...headers, date: 'today' }, Date.UTC(2026, 10, 20, 12, 0, 2))).toEqual([
      ['requests', 58, 60, 10_000, undefined],
    ]);
  });

  test("Anthropic's OpenAI-compatible path", () => {
    expect(
      read({
        'x-ratelimit-requests': '4000',
        'x-ratelimit-remaining-requests': '3999',
        'x-ratelimit-reset-requests': '0s',
        'x-ratelimit-tokens': '2400000',
        'x-ratelimit-remaining-tokens': '2400000',
        'x-ratelimit-reset-tokens': '0s',
      }),
    ).toEqual([
      ['requests', 3999, 4000, 0, undefined],
      ['tokens', 2_400_000, 2_400_000, 0, undefined],
    ]);
  });
});

describe('what says nothing', () => {
  test.each<[string, Headers]>([
    ['no headers', {}],
    [
      "Azure's -1",
      {
        'x-ratelimit-limit-tokens': '-1',
        'x-ratelimit-remaining-tokens': '-1',
        'x-ratelimit-reset-tokens': '0',
      },
    ],
    ['no limit', { 'x-ratelimit-remaining-requests': '119' }],
    ['no rest', { 'x-ratelimit-limit': '100', 'x-ratelimit-reset': '1769759907' }],
    ['a limit of 0', { 'x-ratelimit-limit-requests': '0', 'x-ratelimit-remaining-requests': '0' }],
    [
      'Together, by the second',
      {
        'x-ratelimit-limit': '10',
        'x-ratelimit-remaining': '19',
        'x-ratelimit-reset': '2',
        'x-ratelimit-limit-tokens': '3000',
        'x-ratelimit-remaining-tokens': '3000',
      },
    ],
    [
      'more than anybody can count',
      {
        'x-ratelimit-limit-tokens-minute': '9223372036854767616',
        'x-ratelimit-remaining-tokens-minute': '9223372036854767616',
      },
    ],
    ['words', { 'x-ratelimit-limit-requests': 'many', 'x-ratelimit-remaining-requests': 'some' }],
  ])('%s', (_name, headers) => {
    expect(read(headers)).toEqual([]);
  });

  test.each(['soon', '5x', 'm5s', '1.2.3s', '-5', '2026-13-45T99:00:00Z', '9'.repeat(30)])(
    'a reset of %s',
    (reset) => {
      expect(
        read({
          'x-ratelimit-limit-requests': '60',
          'x-ratelimit-remaining-requests': '59',
          'x-ratelimit-reset-requests': reset,
        }),
      ).toEqual([['requests', 59, 60, undefined, undefined]]);
    },
  );

  test('whatever headers hold, readings make sense', () => {
    const names = [
      'date',
      'x-ratelimit-limit-requests',
      'x-ratelimit-remaining-requests',
      'x-ratelimit-reset-requests',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
    ];
    const value = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.constantFrom('1m3s', '2026-04-27T16:41:30Z', 'Mon, 27 Apr 2026 16:41:30 GMT', '1e400'),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (headers) => {
        for (const { limit, remaining, resetMs } of readLimits(of(headers), 0)) {
          expect(limit).toBeGreaterThanOrEqual(1);
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(remaining).toBeLessThanOrEqual(limit);
          if (resetMs !== undefined) expect(resetMs).toBeGreaterThanOrEqual(0);
          expect(resetMs).not.toBe(Infinity);
        }
      }),
    );
  });
});

describe('a reader of many heads', () => {
  const requests = { 'x-ratelimit-limit-requests': '60', 'x-ratelimit-remaining-requests': '59' };
  const tokens = { 'x-ratelimit-limit-tokens': '600', 'x-ratelimit-remaining-tokens': '590' };

  test('looks only for what there was', () => {
    const reader = new LimitReader();
    const asked = new Set<string>();
    const header: HeaderLookup = (name) => {
      asked.add(name);
      return of(requests)(name);
    };
    for (let i = 0; i < 10; i++) reader.read(header, 0);
    asked.clear();
    expect(reader.read(header, 0)).toHaveLength(1);
    expect(asked.size).toBeLessThan(6);
  });

  test('finds later what is new', () => {
    const reader = new LimitReader();
    for (let i = 0; i < 10; i++) reader.read(of(requests), 0);
    const found = Array.from({ length: 40 }, () => reader.read(of({ ...requests, ...tokens }), 0));
    expect(found.at(-1)).toHaveLength(2);
  });
});

describe('when to come again', () => {
  test.each<[string, Headers, number | undefined]>([
    ['seconds', { 'retry-after': '17' }, 17_000],
    ['parts of a second', { 'retry-after': '0.5' }, 500],
    ['milliseconds, which are more exact', { 'retry-after': '1', 'retry-after-ms': '240' }, 240],
    [
      'a date, by the clock of the answer',
      { 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT', date: 'Fri, 20 Nov 2026 12:00:00 GMT' },
      30_000,
    ],
    [
      'a date that is past',
      { 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT', date: 'Fri, 20 Nov 2026 12:00:00 GMT' },
      0,
    ],
    ['nothing', {}, undefined],
    ['less than nothing', { 'retry-after': '-1' }, undefined],
    ['a word', { 'retry-after': 'later' }, undefined],
    ['nonsense, then sense', { 'retry-after-ms': 'x', 'retry-after': '2' }, 2000],
  ])('%s', (_name, headers, expected) => {
    expect(readRetryAfter(of(headers), 0)).toBe(expected);
  });

  test('a date without a date of the answer counts from our own clock', () => {
    const wallNow = Date.UTC(2026, 10, 20, 12, 0, 10);
    expect(readRetryAfter(of({ 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT' }), wallNow)).toBe(
      20_000,
    );
  });
});
