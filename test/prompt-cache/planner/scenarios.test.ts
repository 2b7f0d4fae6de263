import { describe, expect, test } from 'vitest';
import { Planner } from '../../../src/prompt-cache/planner/planner.ts';
import {
  conversation,
  costOf,
  expectNoSurprise,
  HEAD,
  leastCost,
  times,
  uncached,
} from './conversations.ts';
import { piece, play, sightOf, sum, total, turn, type Played, type Sent } from './play.ts';
import { ENDINGS, PREFIXES } from './rules.ts';

describe('what each kind of traffic costs', () => {
  test('an agent’s loop: everything but the new part is read, every time', () => {
    const requests = conversation({ pauses: times(30, 8) });
    const played = play(requests);
    expectNoSurprise(played);
    for (const [i, { result }] of played.entries()) {
      expect(result.read).toBe(i === 0 ? 0 : total(requests[i - 1]!));
    }
    expect(costOf(played) / leastCost(requests)).toBeLessThan(1.05);
  });

  test('14 parallel tools: what was said is read though 28 blocks lie between', () => {
    const requests = conversation({ pauses: times(12, 10), sizes: () => times(28, 120) });
    const played = play(requests);
    expectNoSurprise(played);
    for (const [i, { result }] of played.entries()) {
      expect(result.read).toBe(i === 0 ? 0 : total(requests[i - 1]!));
    }
    expect(played[5]?.draft.marks.map(({ reason }) => reason)).toContain('look-back');
    expect(costOf(played) / leastCost(requests)).toBeLessThan(1.05);
  });

  test.each([2, 28])('a pause of 15 minutes is survived, with %i blocks a turn', (blocks) => {
    // Pauses now and then, so that they can be expected.
    const pauses = Array.from({ length: 40 }, (_, i) => (i % 5 === 4 ? 900 : 10));
    const requests = conversation({ pauses, sizes: () => times(blocks, Math.ceil(900 / blocks)) });
    const played = play(requests);
    expectNoSurprise(played);
    const afterPauses = played.filter((_, i) => i >= 15 && pauses[i - 1] === 900);
    for (const { result } of afterPauses) {
      expect(result.read).toBeGreaterThan(0.8 * result.total);
    }
    // For the hour, only a few tokens are paid.
    const long = sum(played.slice(15).map(({ result }) => result.write1h));
    const short = sum(played.slice(15).map(({ result }) => result.write5m));
    expect(long).toBeLessThan(short);
    expect(costOf(played) / uncached(requests)).toBeLessThan(0.25);
  });

  test('documents that never come back: after a few nothing unique is written', () => {
    const head = [piece('system', 'rag', 1500)];
    const requests = Array.from({ length: 40 }, (_, i): Sent => ({
      at: i * 20,
      blocks: [...head, ...turn(`question ${i}`, [6000, 40])],
    }));
    const played = play(requests);
    expectNoSurprise(played);
    const unique = played.map(
      ({ result }) => result.write5m + result.write1h - (result.read ? 0 : 1500),
    );
    expect(sum(unique.slice(15))).toBeLessThanOrEqual(0);
    // The system prompt is.
    for (const { result } of played.slice(15)) expect(result.read).toBe(1500);
  });

  test('one-shot traffic: writing stops', () => {
    const requests = Array.from({ length: 40 }, (_, i): Sent => ({
      at: i * 30,
      blocks: [piece('system', `only ${i}`, 2500), ...turn(`q${i}`, [300])],
    }));
    const played = play(requests);
    expectNoSurprise(played);
    expect(played.slice(10).flatMap(({ draft }) => draft.marks)).toEqual([]);
    expect(costOf(played) / uncached(requests)).toBeLessThan(1.05);
  });

  test('a fan-out: one writes, the others read', () => {
    const wave = (name: string, at: number): Sent[] =>
      Array.from({ length: 20 }, (_, i) => ({
        at,
        blocks: [
          ...HEAD,
          piece('messages', `document ${name}`, 20_000),
          ...turn(`${name}${i}`, [50]),
        ],
      }));
    const first = wave('a', 0);
    const second = wave('b', 60);
    const played = play([...first, ...second]);
    expectNoSurprise(played);
    const [, ...secondWave] = played.slice(20);
    // Of the second wave, the first writes the document at its own end and not only behind the question.
    expect(secondWave.map(({ result }) => result.read)).toEqual(times(19, 27_000));
    expect(
      secondWave.map(({ result }) => result.write5m + result.write1h).every((n) => n <= 50),
    ).toBe(true);
  });

  test('without a wait each of a fan-out pays: that is why there is one', () => {
    const requests = Array.from({ length: 20 }, (_, i): Sent => ({
      at: 0,
      blocks: [...HEAD, piece('messages', 'document', 20_000), ...turn(`${i}`, [50])],
    }));
    const together = costOf(play(requests, { waits: false }));
    expect(together).toBeGreaterThan(5 * costOf(play(requests)));
  });
});

describe('what is sent twice', () => {
  test('the same request again reads all of it, and writes nothing', () => {
    const [sent] = conversation({ pauses: [] });
    const played = play([sent!, { ...sent!, at: 30 }, { ...sent!, at: 60 }]);
    expectNoSurprise(played);
    for (const { result } of played.slice(1)) {
      expect(result.read + result.uncached).toBe(result.total);
      expect(result.read).toBe(total(sent!));
    }
  });

  test('two conversations with one system prompt: the second reads what the first wrote of it', () => {
    const requests = [
      ...conversation({ name: 'a', pauses: times(5, 10) }),
      ...conversation({ name: 'b', startsAt: 100, pauses: times(5, 10) }),
    ];
    const played = play(requests);
    expectNoSurprise(played);
    expect(played[6]?.result.read).toBe(7000);
  });
});

describe('asking what would be done', () => {
  const requests = [
    ...conversation({ name: 'a', pauses: [10, 900, 10, 10, 400] }),
    ...conversation({ name: 'b', startsAt: 45, pauses: [10, 10, 4000] }),
  ];
  const marksOf = (played: readonly Played[]): unknown[] =>
    played.map(({ draft: { marks, expectedRead, expectedWrites, writes, lastKept } }) => ({
      marks,
      expectedRead,
      expectedWrites,
      writes,
      lastKept,
    }));

  test('it changes nothing: the same plans afterwards', () => {
    expect(marksOf(play(requests, { dryRuns: true }))).toEqual(marksOf(play(requests)));
  });

  test('it gives the plan that is made then, but for what is noted', () => {
    const asked = new Planner({ maxPrefixes: 100 });
    play(requests.slice(0, 4), { planner: asked });
    const sight = sightOf({ ...requests[4]!, at: 2000 });
    const dry = asked.plan(sight, { dryRun: true });
    const real = asked.plan(sight);
    expect(dry).toEqual({ ...real, writes: [] });
  });

  test('a full memory forgets the same prefix with and without it', () => {
    const plans = [false, true].map((isAsked) => {
      const planner = new Planner({ maxPrefixes: 12 });
      const one = (name: string, at: number): Sent => ({ at, blocks: turn(name, [3000]) });
      play([one('first', 0), ...times(11, 0).map((_, i) => one(`n${i}`, i + 2))], { planner });
      if (isAsked) planner.plan(sightOf(one('first', 20)), { dryRun: true });
      planner.plan(sightOf(one('last', 21)));
      return planner.plan(sightOf(one('first', 22)), { dryRun: true }).knownTo !== undefined;
    });
    expect(plans[1]).toBe(plans[0]);
  });
});

describe('providers that keep other things', () => {
  test('the end of a request that is not worth its price is not kept', () => {
    const planner = new Planner({ maxPrefixes: 1000 });
    const plans = Array.from({ length: 20 }, (_, i) =>
      planner.plan({
        ...sightOf({ at: i * 30, blocks: [piece('system', 's', 300), ...turn(`q${i}`, [5000])] }),
        rules: ENDINGS,
      }),
    );
    expect(plans.at(-1)).toMatchObject({ onlyMarks: true, marks: [] });
  });

  test('the end of a conversation’s request is kept without a mark', () => {
    const planner = new Planner({ maxPrefixes: 1000 });
    const plans = conversation({ pauses: times(10, 20) }).map((sent) => {
      const plan = planner.plan({ ...sightOf(sent), rules: ENDINGS });
      planner.answered(plan, sent.at * 1000 + 1000);
      return { plan, sent };
    });
    const { plan, sent } = plans.at(-1)!;
    expect(plan.onlyMarks).toBe(false);
    expect(plan.marks.map(({ block }) => block)).not.toContain(sent.blocks.length - 1);
    expect(plan.expectedRead).toBe(total(plans.at(-2)!.sent));
  });

  test('where all that is sent is kept nothing is marked, and it is expected back', () => {
    const planner = new Planner({ maxPrefixes: 1000 });
    const expected = conversation({ pauses: [20, 20, 2000] }).map((sent) => {
      const plan = planner.plan({ ...sightOf(sent), rules: PREFIXES });
      planner.answered(plan, sent.at * 1000 + 1000);
      expect(plan.marks).toEqual([]);
      return plan.expectedRead;
    });
    expect(expected).toEqual([0, 7560, 8120, 0]);
  });
});

describe('requests that fail', () => {
  test('what a failed request was to write is written by the next', () => {
    const planner = new Planner({ maxPrefixes: 1000 });
    const [sent] = conversation({ pauses: [] });
    const failed = planner.plan(sightOf(sent!));
    expect(planner.pendingOf(sightOf(sent!))).toMatchObject({ tokens: total(sent!) });
    planner.forget(failed.writes);
    expect(planner.pendingOf(sightOf(sent!))).toBeUndefined();
    const again = planner.plan(sightOf({ ...sent!, at: 1 }));
    expect(again.expectedRead).toBe(0);
    expect(again.writes.length).toBeGreaterThan(0);
  });

  test('what is pending counts only as far as it is deeper than what can be read', () => {
    const planner = new Planner({ maxPrefixes: 1000 });
    const [first, second] = conversation({ pauses: [10] });
    planner.answered(planner.plan(sightOf(first!)), 1000);
    planner.plan(sightOf(second!));
    expect(planner.pendingOf(sightOf(second!))).toMatchObject({ tokens: 560 });
    expect(planner.pendingOf(sightOf(first!))).toBeUndefined();
  });
});
