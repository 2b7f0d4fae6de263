/** The cache report: what it makes of recorded traffic, and what it must never show. */
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { conversationsIn, type Conversation } from '../../examples/cache-report/conversations.ts';
import { findingsIn } from '../../examples/cache-report/findings.ts';
import { html } from '../../examples/cache-report/html.ts';
import { dollars, picoDollars } from '../../examples/cache-report/money.ts';
import { page } from '../../examples/cache-report/page.ts';
import { picture } from '../../examples/cache-report/picture.ts';
import { replay, type Observation } from '../../examples/cache-report/replay.ts';
import { reportOf, type Report } from '../../examples/cache-report/report.ts';
import { sumsOf } from '../../examples/cache-report/sums.ts';
import { terminalReport } from '../../examples/cache-report/terminal.ts';
import { readTraffic, type Exchange, type Traffic } from '../../examples/cache-report/traffic.ts';
import type { Turn } from '../../examples/cache-report/turns.ts';
import { costOf, sampleRecord, type Fixture } from '../../src/testing/index.ts';

const SAMPLE = new URL('../fixtures/cache-report/traffic.jsonl', import.meta.url);

let traffic: Traffic;
let observations: readonly Observation[];
let report: Report;
beforeAll(async () => {
  traffic = readTraffic(SAMPLE);
  observations = await replay(traffic.exchanges);
  report = reportOf(traffic, observations);
});

describe('recorded traffic', () => {
  test('is played at the times at which it was recorded', () => {
    const sent = traffic.exchanges.map(({ sentAt }) => sentAt);
    expect(sent).toEqual(sent.toSorted((a, b) => a - b));
    expect(observations.map(({ record }) => Date.parse(record.startedAt))).toEqual(sent);
    expect(new Date(sent[0] ?? 0).toISOString()).toBe('2026-11-16T09:00:00.000Z');
    expect(traffic).toMatchObject({ isTimed: true, withoutRequest: 0 });
  });

  test('without dates follows one another, and without a request it is counted', () => {
    const fixtures = traffic.exchanges.slice(0, 3).map(({ fixture }) => undated(fixture));
    const { exchanges, isTimed, withoutRequest } = readTraffic([
      ...fixtures,
      { ...undated(fixtures[0] as Fixture), request: null },
    ]);
    expect(exchanges.map(({ sentAt }) => sentAt)).toEqual([0, 4000, 8000]);
    expect({ isTimed, withoutRequest }).toEqual({ isTimed: false, withoutRequest: 1 });
  });

  test('of callers that gave up and of connections that broke ends too', async () => {
    const [{ fixture } = { fixture: undefined }] = traffic.exchanges;
    const broken = (['stall', 'aborted', 'reset', 'close'] as const).flatMap((kind) =>
      [undefined, 100].map((afterBytes): Fixture => ({
        ...(fixture as Fixture),
        fault: { kind, afterBytes },
      })),
    );
    const seen = await replay(readTraffic(broken).exchanges);
    expect(seen.map(({ record }) => record.outcome)).not.toContain('ok');
    expect(seen).toHaveLength(8);
  });

  test('of every recorded provider goes through', async () => {
    const real = readTraffic(new URL('../fixtures/interactions/', import.meta.url));
    const seen = await replay(real.exchanges);
    expect(seen).toHaveLength(real.exchanges.length);
    const { sums } = reportOf(real, seen);
    expect(sums.calls).toBeGreaterThan(150);
    expect(sums.tokens.read + sums.tokens.written + sums.tokens.paid).toBe(sums.input);
  });
});

function undated(fixture: Fixture): Fixture {
  if (fixture.response === null) return fixture;
  const { date: _, ...headers } = fixture.response.headers;
  return { ...fixture, response: { ...fixture.response, headers } };
}

describe('sums', () => {
  test('are those of the records, to the last digit', () => {
    const { cost, input, tokens } = report.sums;
    expect(cost).toBe(picoDollars(costOf(observations.map(({ record }) => record)) ?? ''));
    expect(tokens.read + tokens.written + tokens.paid).toBe(input);
    const usages = observations.map(({ record }) => record.usage.inputTokens);
    expect(input).toBe(usages.reduce((sum, { total = 0 }) => sum + total, 0));
  });

  test('are the same however calls are put together', () => {
    const all = conversationsIn(observations).flatMap(({ turns }) => turns);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: all.length }), (at) => {
        const parts = [sumsOf(all.slice(0, at)), sumsOf(all.slice(at))];
        for (const key of ['cost', 'lost', 'autoSaves'] as const) {
          expect(parts.reduce((sum, part) => sum + part[key], 0n)).toBe(sumsOf(all)[key]);
        }
      }),
    );
  });

  test('amounts are exact, and read well', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), (pico) => {
        const digits = String(pico < 0n ? -pico : pico).padStart(13, '0');
        const text = `${pico < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`;
        expect(picoDollars(text)).toBe(pico);
      }),
    );
    const shown = ['0.00004', '0.0421', '-1.5', '1234.567'].map((text) =>
      dollars(picoDollars(text)),
    );
    expect(shown).toEqual(['$0.0000', '$0.0421', '-$1.500', '$1,234.57']);
  });
});

describe('conversations', () => {
  test('are found whatever changes before their messages', () => {
    expect(report.conversations.map(({ kind, turns }) => [kind, turns.length])).toEqual([
      ['conversation', 10],
      ['conversation', 7],
      ['conversation', 6],
      ['calls', 5],
      ['conversation', 7],
      ['calls', 5],
      ['conversation', 8],
    ]);
  });

  test('each goes on from the one it shares most with, marks aside', () => {
    const said = (...messages: unknown[]): Observation => observationOf({ messages });
    const part = { type: 'text', text: 'first' };
    const first = { role: 'user', content: 'first' };
    const marked = {
      role: 'user',
      content: [{ ...part, cache_control: { type: 'ephemeral' } }],
    };
    const twoParts = { role: 'user', content: [part, part] };
    const markedParts = { role: 'user', content: [part, marked.content[0]] };
    const other = { role: 'user', content: 'other' };
    const answer = { role: 'assistant', content: 'yes' };
    const found = conversationsIn([
      said(marked),
      said(other),
      said({ role: 'system', content: 'now: 2' }, first, answer, other),
      said(other, answer),
      said(first, answer, other, answer, { role: 'user', content: 'last' }),
      said('not a message'),
      said(markedParts),
      said(twoParts, answer),
    ]);
    expect(found.map(({ turns }) => turns.length)).toEqual([3, 2, 2, 1]);
  });

  test('calls that nothing is known of stay out', () => {
    const unread = observationOf({}, { inputTokens: {}, outputTokens: {}, grade: 'none' });
    expect(conversationsIn([unread])).toEqual([]);
    expect(conversationsIn([observationOf('no object'), observationOf([1])])).toHaveLength(1);
  });
});

/** A call with this body. */
function observationOf(body: unknown, usage = sampleRecord().usage): Observation {
  const request = {
    method: 'POST',
    url: 'https://api.example/v1',
    headers: {},
    body: JSON.stringify(body),
  };
  const fixture: Fixture = { id: 'one', request, response: null, fault: { kind: 'reset' } };
  const exchange: Exchange = { fixture, url: request.url, init: {}, sentAt: 0 };
  return { exchange, record: sampleRecord({ usage }), autoSaves: 0n, autoReads: 0 };
}

describe('findings', () => {
  test('name each cause, dearest first, with what it cost and where', () => {
    expect(
      report.findings.map(({ reason, calls, conversations }) => [reason, calls, conversations]),
    ).toEqual([
      ['system-changed', 6, [2]],
      ['tools-reordered', 5, [3]],
      ['not-kept', 7, [5]],
      ['not-yet-readable', 4, [6]],
      ['expired', 1, [1]],
      ['history-edited', 1, [7]],
    ]);
    const [first] = report.findings;
    expect(first?.what).toMatch(/The first difference is a time or date, at byte \d+\.$/);
    const misses = observations.flatMap(({ record }) => record.cache?.miss ?? []);
    const changed = misses.filter(({ reason }) => reason === 'system-changed');
    expect(first?.tokens).toBe(changed.reduce((sum, { lostTokens = 0 }) => sum + lostTokens, 0));
    const lost = report.findings.map((finding) => finding.lost);
    expect(lost.every((amount) => amount > 0n)).toBe(true);
    expect(lost.reduce((sum, amount) => sum + amount, 0n)).toBe(
      report.conversations.reduce((sum, conversation) => sum + conversation.lost, 0n),
    );
  });

  test('come with the place where the prefix broke', () => {
    const [, withClock, shuffled] = report.conversations;
    for (const { breakAt, tierEnds, input } of withClock?.turns.slice(1) ?? []) {
      expect(breakAt).toBe(tierEnds[0]);
      expect(breakAt).toBeGreaterThan(0);
      expect(tierEnds[1]).toBeLessThan(input);
    }
    for (const { breakAt, tierEnds } of shuffled?.turns.slice(1) ?? []) {
      expect(breakAt).toBeLessThan(tierEnds[0]);
    }
    expect(report.conversations[0]?.turns.map(({ breakAt }) => breakAt)).toEqual(
      Array.from({ length: 10 }),
    );
  });

  test('are none where nothing was missed', () => {
    expect(findingsIn(report.conversations.slice(3, 4))).toEqual([]);
  });
});

/** Texts of prompts and answers, as far as they are long enough to be told from our own words. */
function promptTexts(value: unknown): string[] {
  if (typeof value === 'string') return value.length < 12 ? [] : [value.slice(0, 30)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === 'model' ? [] : promptTexts(member),
  );
}

describe('the page', () => {
  test('shows no text of a prompt, and neither does the terminal', () => {
    const shown = page(report, 'traffic.jsonl') + terminalReport(report);
    const texts = traffic.exchanges.flatMap(({ fixture: { request } }) =>
      promptTexts(JSON.parse(request?.body ?? '')),
    );
    expect(texts.length).toBeGreaterThan(200);
    expect(texts.filter((text) => shown.includes(text))).toEqual([]);
  });

  test('loads nothing and runs nothing', () => {
    const text = page(report, 'traffic.jsonl');
    expect(text).not.toMatch(
      /<(?:script|link|img|iframe|object|embed)\b|\bon\w+=|@import|https?:/i,
    );
    expect(text.match(/url\([^)]*\)/g)).toEqual(['url(#lost)']);
    expect(text).toContain('prefers-color-scheme: dark');
  });

  test('links only to what is there', () => {
    const many = Array.from({ length: 60 }, (_, i) => conversation(i % 50));
    const seen: Report = {
      ...report,
      conversations: many.map((each, i) => ({
        ...each,
        number: i + 1,
        sums: sumsOf(each.turns),
        lost: 0n,
      })),
      findings: report.findings.map((finding) => ({ ...finding, conversations: [1, 33, 60] })),
    };
    for (const text of [page(report, ''), page(seen, '')]) {
      const ids = [...text.matchAll(/ id="(\w+)"/g)].map(([, id]) => id);
      const targets = [...text.matchAll(/href="#(\w+)"/g)].map(([, id]) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(targets.filter((id) => !ids.includes(id))).toEqual([]);
    }
    expect(page(seen, '').match(/<figure/g)).toHaveLength(40);
  });

  test('takes names from outside as text', () => {
    const name = `<img src=x onerror="alert('1')">&`;
    const [shown] = report.conversations;
    const turns = shown?.turns.map((turn) => ({ ...turn, model: name })) ?? [];
    const conversations = shown ? [{ ...shown, turns }] : [];
    const text = page({ ...report, conversations }, name);
    expect(text).not.toContain('<img');
    expect(text).toContain('&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;');
    expect(html`<b title="${'"'}">${[html`<i></i>`]}${undefined}${0}</b>`.html).toBe(
      '<b title="&#34;"><i></i>0</b>',
    );
  });
});

function turn(overrides: Partial<Turn> = {}): Turn {
  return {
    sentAt: 0,
    provider: 'p',
    model: 'm',
    tokens: { read: 0, written: 0, paid: 100 },
    input: 100,
    output: 1,
    costs: { read: 0n, written: 0n, paid: 0n },
    autoSaves: 0n,
    couldRead: 0,
    lost: 0n,
    blocks: { tools: 0, system: 0, messages: 1 },
    tierEnds: [0, 0],
    ...overrides,
  };
}

function conversation(turns: number, overrides: Partial<Turn> = {}): Conversation {
  return { kind: 'conversation', turns: Array.from({ length: turns + 1 }, () => turn(overrides)) };
}

describe('a picture', () => {
  const numbers = (text: string, pattern: RegExp): number[] =>
    [...text.matchAll(pattern)].map(([, number]) => Number(number));

  test('has bars that fill what their turn has of the longest', () => {
    const tokens = fc.record({
      read: fc.nat(1e6),
      written: fc.nat(1e6),
      paid: fc.integer({ min: 1, max: 1e6 }),
    });
    fc.assert(
      fc.property(fc.array(tokens, { minLength: 1, maxLength: 8 }), (buckets) => {
        const turns = buckets.map((each) =>
          turn({ tokens: each, input: each.read + each.written + each.paid }),
        );
        const longest = Math.max(...turns.map(({ input }) => input));
        const [, ...drawn] = picture({ kind: 'conversation', turns }).html.split('<title>');
        const widths = drawn.map((part) =>
          numbers(part, /class="(?:read|written|paid)"[^>]* width="([\d.]+)%"/g).reduce(
            (a, b) => a + b,
            0,
          ),
        );
        for (const [i, { input }] of turns.entries()) {
          expect(widths[i]).toBeCloseTo((100 * input) / longest, 1);
        }
      }),
    );
  });

  test('shows pauses, misses, and where the prefix broke', () => {
    const miss = { reason: 'system-changed', lostTokens: 60 } as const;
    const turns = [
      turn(),
      turn({ sentAt: 11 * 60_000, miss, couldRead: 60, lost: 10n ** 10n, breakAt: 25 }),
    ];
    const { html: text } = picture({ kind: 'conversation', turns });
    expect(text).toContain('11 min later');
    expect(text).toContain('system-changed −$0.0100');
    expect(text).toMatch(/class="lost"\s+x="0.00%"[^>]* width="60.00%"/);
    expect(text).toMatch(/class="break"\s+x="25.00%"/);
  });

  test('of a long conversation has thin bars, and an end', () => {
    const heightOf = (turns: number): number =>
      Number(/height="(\d+)"/.exec(picture(conversation(turns - 1)).html)?.[1]);
    expect(heightOf(41)).toBeLessThan(heightOf(40));
    expect(heightOf(5000)).toBe(heightOf(300));
  });
});

describe('in a terminal', () => {
  test('no line is longer than 80 columns', () => {
    const lines = stripVTControlCharacters(terminalReport(report)).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.join('\n')).toMatch(
      /promptCache: 'auto' would have saved about \$0\.\d{4} of \$0\.\d{4}/,
    );
  });

  test('what has no price is said to have none', () => {
    const turns = [turn()];
    const unpriced: Report = {
      ...report,
      sums: sumsOf(turns),
      findings: [],
      conversations: [{ kind: 'calls', turns, number: 1, sums: sumsOf(turns), lost: 0n }],
    };
    expect(terminalReport(unpriced)).toContain('none of the models has a known price');
    expect(page(unpriced, '')).not.toContain('NaN');
  });
});
