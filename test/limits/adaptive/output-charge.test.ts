import { describe, expect, test } from 'vitest';
import { createSeededRandom } from '../../../src/testing/seeded-random.ts';
import type { OutputCharge } from '../../../src/limits/adaptive/output-charge.ts';
import type { Transit } from '../../../src/limits/adaptive/transit.ts';
import type { RateLimiting } from '../../../src/limits/types.ts';
import { Lane, reading } from './lane.ts';

interface Answer {
  readonly request: Transit;
  readonly at: number;
  readonly tokens: number;
}

/** Answers of 50 tokens a second that begin after half a second; up to ten are under way. */
function run(
  truth: OutputCharge,
  outputCharge: RateLimiting['outputCharge'] | undefined,
  { seconds = 60, quantum = 1, others = 0, most = 1000, unit = 'outputTokens' as const } = {},
): OutputCharge {
  const random = createSeededRandom(11);
  const lane = new Lane(outputCharge === undefined ? {} : { outputCharge });
  const limit = 60_000;
  let left = limit / 2;
  const heads: Answer[] = [];
  const open: Answer[] = [];
  for (let now = 0; now < seconds * 1000; now += 100) {
    left = Math.min(limit, left + limit / 600 - others / 10);
    for (const answer of open) {
      if (truth === 'written' && answer.at + 500 < now) left -= 5;
    }
    for (const answer of open.filter(({ at, tokens }) => at + 500 + tokens * 20 <= now)) {
      open.splice(open.indexOf(answer), 1);
      if (truth === 'refunded') left += most - answer.tokens;
      lane.end(answer.request, now, 100, answer.tokens);
    }
    for (const answer of heads.splice(0)) {
      if (answer.at + 500 > now) heads.push(answer);
      else lane.head(answer.request, now, readings.get(answer.request)!);
    }
    if (open.length >= 10 || random() > 0.3) continue;
    const request = lane.send(now, { maxOutputTokens: most });
    if (truth === 'kept' || truth === 'refunded') left -= most;
    const answer = { request, at: now, tokens: Math.round(50 + 300 * random()) };
    open.push(answer);
    heads.push(answer);
    const remaining = Math.max(0, Math.round(left / quantum) * quantum);
    readings.set(request, reading({ unit, limit, remaining, quantum }));
  }
  return lane.ledger.chargeOf(unit);
}
const readings = new WeakMap<Transit, ReturnType<typeof reading>>();

describe('what answers count', () => {
  test.each<[OutputCharge, RateLimiting['outputCharge']]>([
    ['refunded', 'actual'],
    ['kept', 'actual'],
    ['written', 'max'],
    ['kept', 'max'],
    ['written', 'actual'],
  ])('%s is found where documentation says %s', (truth, documented) => {
    expect(run(truth, documented)).toBe(truth);
  });

  test('it shows through rounding', () => {
    expect(run('refunded', 'actual', { quantum: 1000, most: 4000 })).toBe('refunded');
    expect(run('written', 'actual', { quantum: 1000, most: 4000 })).toBe('written');
  });

  test('and through what others take', () => {
    expect(run('written', 'actual', { others: 500 })).toBe('written');
  });

  test('documentation decides first', () => {
    expect(run('written', undefined, { seconds: 0 })).toBe('written');
    expect(run('written', 'max', { seconds: 0 })).toBe('refunded');
    expect(new Lane().ledger.chargeOf('tokens')).toBe('kept');
    expect(new Lane({ outputCharge: 'actual' }).ledger.chargeOf('tokens')).toBe('written');
    expect(new Lane({ outputCharge: 'none' }).ledger.chargeOf('tokens')).toBe('none');
    expect(new Lane().ledger.chargeOf('requests')).toBe('none');
  });
});

describe('a refusal', () => {
  const room = (output: number, requests = 50) => [
    reading({ remaining: requests }),
    reading({ unit: 'outputTokens', limit: 4000, remaining: output, quantum: 1000 }),
  ];
  const refusedTwice = (...readings: ReadonlyArray<ReturnType<typeof reading>>): OutputCharge => {
    const lane = new Lane();
    for (let now = 0; now < 2000; now += 1000) {
      const request = lane.send(now, { maxOutputTokens: 2000 });
      lane.meters.learnRefusal(readings, request);
    }
    return lane.ledger.chargeOf('outputTokens');
  };

  test('where there is room for all but what the answer may have says that this counts', () => {
    expect(refusedTwice(...room(1000))).toBe('refunded');
  });

  test.each([
    ['another limit explains it', room(1000, 0)],
    ['nothing may be left', room(0)],
    ['there is room for all of it', room(3000)],
  ])('says nothing where %s', (_name, readings) => {
    expect(refusedTwice(...readings)).toBe('written');
  });
});

describe('output under way', () => {
  const output = (remaining: number) =>
    reading({ unit: 'outputTokens', limit: 60_000, remaining, resetMs: 0 });

  test('is reserved as it is expected, and settled as it was', () => {
    const lane = new Lane();
    lane.head(lane.send(0), 0, output(30_000));
    const left = lane.left(0)!;
    const request = lane.send(0, { maxOutputTokens: 2000 });
    expect(lane.left(0)).toBe(left - 800);
    lane.end(request, 0, 100, 300);
    expect(lane.left(0)).toBe(left - 300);
  });

  test('is reserved anew when an answer outgrows what was expected', () => {
    const lane = new Lane();
    lane.head(lane.send(0), 0, output(30_000));
    const request = lane.send(0, { maxOutputTokens: 2000 });
    const left = lane.left(0)!;
    lane.meters.grow(request, 700, 0);
    expect(lane.left(0)).toBe(left);
    lane.meters.grow(request, 1200, 0);
    expect(lane.left(0)).toBe(left - 700);
    lane.meters.grow(request, 1900, 0);
    expect(lane.left(0)).toBe(left - 1200);
    lane.end(request, 0, 100, 1950);
    expect(lane.left(0)).toBe(left - 1150);
  });

  test('a head that knows nothing of it yet does not free it', () => {
    const lane = new Lane();
    lane.head(lane.send(0), 100, output(30_000));
    for (let i = 1; i <= 5; i++) lane.send(i * 100, { maxOutputTokens: 2000 });
    const last = lane.send(1000, { maxOutputTokens: 2000 });
    lane.head(last, 1400, output(30_000));
    // 400 tokens have flowed in since; seven answers are expected to take the rest.
    expect(lane.left(1400)!).toBeLessThan(30_400 - 6 * 780);
  });
});
