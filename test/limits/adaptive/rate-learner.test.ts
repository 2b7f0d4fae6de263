import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRateLearner } from '../../../src/limits/adaptive/rate-learner.ts';
import type { RateLearner, Sent } from '../../../src/limits/adaptive/types.ts';
import type { Demand } from '../../../src/limits/types.ts';
import { createSeededRandom } from '../../../src/testing/seeded-random.ts';
import { demand } from './demand.ts';
import { request, type Scene, surroundings } from './surroundings.ts';

/** A learner with requests that are sent and answered by hand, on a time line of its own. */
class Line {
  readonly scene: Scene;
  readonly learner: RateLearner;
  now = 0;
  readonly open: Sent[] = [];
  #lastSentAt = -1;

  constructor(seed = 1) {
    this.scene = surroundings({ random: createSeededRandom(seed), waiting: 1000 });
    this.learner = createRateLearner(this.scene);
  }

  get perMinute(): number {
    return this.learner.requestsPerMinute ?? NaN;
  }

  waitMs(given: Partial<Demand> = {}): number {
    return this.learner.waitMs(demand(given), this.now);
  }

  send(): Sent {
    const sent = request(Math.max(this.now, this.#lastSentAt + 1e-3));
    this.#lastSentAt = sent.sentAt;
    this.open.push(sent);
    this.#count();
    this.learner.sent(sent, this.now);
    return sent;
  }

  /** The provider has decided. */
  answer(sent: Sent, fate: 'admitted' | 'refused' | 'failed', retryAfterMs?: number): void {
    this.open.splice(this.open.indexOf(sent), 1);
    this.#count();
    sent.fate = fate;
    if (fate === 'admitted') this.learner.admitted(sent, this.now);
    else if (fate === 'failed') this.learner.failed(sent);
    else this.learner.refused(sent, this.now, retryAfterMs);
  }

  /** It was refused for another reason than the rate. */
  excuse(sent: Sent): void {
    this.open.splice(this.open.indexOf(sent), 1);
    this.#count();
    sent.fate = 'refused';
    this.learner.excused(sent, this.now);
  }

  /** So many one after the other, all admitted. */
  burst(size: number): void {
    for (let i = 0; i < size; i++) {
      const sent = this.send();
      this.now += 10;
      this.answer(sent, 'admitted');
    }
  }

  /** Sends when it may, for so long, to a provider that decides at once. Returns how many were admitted and refused. */
  run(lengthMs: number, admits: (now: number) => boolean): { admitted: number; refused: number } {
    const until = this.now + lengthMs;
    const counts = { admitted: 0, refused: 0 };
    while (this.now < until) {
      const waitMs = this.waitMs();
      this.now += Math.min(waitMs, until - this.now);
      if (waitMs > 0) continue;
      const sent = this.send();
      const fate = admits(this.now) ? 'admitted' : 'refused';
      this.now += 5;
      this.answer(sent, fate);
      counts[fate]++;
    }
    return counts;
  }

  #count(): void {
    this.scene.unanswered = this.open.length;
    this.scene.inFlight = this.open.length;
  }
}

/** Admits from a bucket: so many a minute, so many at once. */
function bucket(perMinute: number, depth: number): (now: number) => boolean {
  let level = depth;
  let at = 0;
  return (now) => {
    level = Math.min(depth, level + ((now - at) * perMinute) / 60_000);
    at = now;
    if (level < 1) return false;
    level -= 1;
    return true;
  };
}

/** As many in each minute of the clock. */
function fixedWindow(perMinute: number): (now: number) => boolean {
  let window = -1;
  let count = 0;
  return (now) => {
    const current = Math.floor(now / 60_000);
    if (current !== window) count = 0;
    window = current;
    return ++count <= perMinute;
  };
}

describe('until the first refusal', () => {
  test('no rate is known, and one after the other never waits', () => {
    const line = new Line();
    for (let i = 0; i < 200; i++) {
      expect(line.waitMs()).toBe(0);
      line.burst(1);
    }
    expect([line.learner.state, line.learner.requestsPerMinute]).toEqual(['normal', undefined]);
  });

  test('a refusal before anything was admitted says nothing about the rate', () => {
    for (const retryAfterMs of [undefined, 5000]) {
      const line = new Line();
      line.answer(line.send(), 'refused', retryAfterMs);
      expect(line.learner.state).toBe('retreat');
      line.now += line.waitMs();
      line.answer(line.send(), 'admitted');
      expect([line.learner.state, line.learner.requestsPerMinute]).toEqual(['normal', undefined]);
      expect(line.waitMs()).toBe(0);
    }
  });

  test('a burst and the time that the provider names give the rate', () => {
    const line = new Line();
    line.burst(5);
    line.answer(line.send(), 'refused', 1000);
    expect(line.learner.state).toBe('retreat');
    const pause = line.waitMs();
    expect(pause).toBeGreaterThanOrEqual(1000);
    expect(pause).toBeLessThanOrEqual(1200);
    line.now += pause;
    line.answer(line.send(), 'admitted');
    expect(line.learner.state).toBe('recover');
    // Five in a second or a little more.
    expect(line.perMinute).toBeGreaterThan(200);
    expect(line.perMinute).toBeLessThanOrEqual(300);
  });

  test('failed requests do not count', () => {
    const line = new Line();
    for (let i = 0; i < 20; i++) line.answer(line.send(), 'failed');
    line.burst(5);
    line.answer(line.send(), 'refused', 1000);
    line.now += line.waitMs();
    line.answer(line.send(), 'admitted');
    expect(line.perMinute).toBeLessThanOrEqual(300);
  });
});

describe('a refusal', () => {
  test('of what was sent before the last one was heard is no news', () => {
    const line = new Line();
    line.burst(5);
    const stale = [line.send(), line.send(), line.send()];
    line.now += 100;
    line.answer(stale[0]!, 'refused', 1000);
    const pause = line.waitMs();
    for (const sent of stale.slice(1)) line.answer(sent, 'refused', 60_000);
    expect(line.waitMs()).toBe(pause);
  });

  test('of a test makes the pause longer', () => {
    const line = new Line();
    line.burst(5);
    line.answer(line.send(), 'refused', 1000);
    const pause = line.waitMs();
    line.now += pause;
    line.answer(line.send(), 'refused');
    expect(line.waitMs()).toBeGreaterThan(1.5 * pause);
  });

  test('of everything for hours does not stop it for good', () => {
    const line = new Line();
    line.burst(1);
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 20; i++) {
        line.answer(line.send(), 'refused');
        line.now += line.waitMs();
      }
      line.answer(line.send(), 'admitted');
      expect(line.perMinute).toBeGreaterThan(0.98);
      expect(line.waitMs()).toBeLessThanOrEqual(122_000);
    }
  });

  test('that is explained otherwise leaves the rate as it is', () => {
    const line = new Line();
    line.run(120_000, bucket(120, 5));
    const before = line.perMinute;
    line.now += 120_000;
    const sent = line.send();
    line.now += 50;
    line.excuse(sent);
    expect(line.learner.state).toBe('normal');
    expect(line.perMinute).toBeGreaterThan(0.8 * before);
  });
});

describe('over an hour', () => {
  test.each([
    ['bucket', bucket(60, 10)],
    ['deep bucket', bucket(60, 60)],
    ['fixed window', fixedWindow(60)],
  ])('a %s is used nearly in full, and refuses few', (_, admits) => {
    const { admitted, refused } = new Line().run(3_600_000, admits);
    expect(admitted).toBeGreaterThan(0.85 * 3600);
    expect(refused).toBeLessThan(0.05 * admitted);
  });

  test('a limit that is lowered is followed, and found again when it is raised', () => {
    const line = new Line();
    line.run(600_000, bucket(120, 5));
    expect(line.perMinute).toBeGreaterThan(90);
    const slow = bucket(30, 1);
    line.run(300_000, slow);
    line.run(300_000, slow);
    expect(line.perMinute).toBeLessThan(45);
    line.run(1_800_000, bucket(120, 5));
    expect(line.perMinute).toBeGreaterThan(90);
  });
});

test('whatever happens, it goes on once nothing is under way', () => {
  const event = fc.record({
    pause: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 400_000 })),
    // A host may send although it should wait.
    kind: fc.constantFrom(
      'ask',
      'send',
      'send',
      'admitted',
      'admitted',
      'refused',
      'failed',
      'excused',
    ),
    which: fc.nat(20),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined }),
    waiting: fc.constantFrom(0, 5),
    isFaulty: fc.boolean(),
    attemptsLeft: fc.constantFrom(0, 3),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 150 }), fc.nat(1000), (events, seed) => {
      const line = new Line(seed);
      let count = 0;
      for (const { pause, kind, which, retryAfterMs, waiting, isFaulty, attemptsLeft } of events) {
        line.now += pause;
        line.scene.waiting = waiting;
        line.scene.isFaulty = isFaulty;
        const sent = line.open[which % Math.max(1, line.open.length)];
        if (kind === 'send') {
          line.send();
          count++;
        } else if (kind !== 'ask' && sent !== undefined) {
          if (kind === 'excused') line.excuse(sent);
          else line.answer(sent, kind, retryAfterMs);
        }
        const waitMs = line.waitMs({ attemptsLeft });
        expect(waitMs).toBeGreaterThanOrEqual(0);
        if (line.open.length === 0) {
          // The pace at its slowest for each, or the longest pause.
          expect(waitMs).toBeLessThanOrEqual(300_000 + 61_000 * count);
        }
        expect(line.learner.requestsPerMinute ?? 1).toBeGreaterThanOrEqual(0.98);
      }
    }),
    { numRuns: 300 },
  );
});
