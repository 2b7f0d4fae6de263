import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createServer, speedOf } from '../../../../src/testing/simulate/traffic/server.ts';
import type { SimulatedLoad } from '../../../../src/testing/index.ts';
import { createVirtualClock } from '../../../../src/testing/index.ts';

interface Planned {
  readonly at: number;
  readonly workMs: number;
}

/** When each job ends, by its place in the list. */
async function endsOf(jobs: readonly Planned[], load?: SimulatedLoad): Promise<number[]> {
  const clock = createVirtualClock();
  const server = createServer(clock, load);
  const ends: number[] = [];
  for (const [index, { at, workMs }] of jobs.entries()) {
    clock.setTimeout(() => {
      server.start({
        milestones: [workMs],
        onMilestone: () => {},
        onEnd: () => (ends[index] = clock.now()),
      });
    }, at);
  }
  await clock.runAll();
  expect(server.inFlight).toBe(0);
  return ends;
}

const together = (count: number, workMs = 1000): Planned[] =>
  Array.from({ length: count }, () => ({ at: 0, workMs }));

describe('processor sharing', () => {
  test('without load everybody has full speed, to the millisecond', async () => {
    const jobs = [
      { at: 0, workMs: 1000.5 },
      { at: 333, workMs: 10 },
      { at: 334, workMs: 0 },
    ];
    expect(await endsOf(jobs)).toEqual([1000.5, 343, 334]);
    expect(await endsOf(together(500))).toEqual(together(500).map(() => 1000));
  });

  test('up to the knee the throughput grows, above it stays when nothing is lost', async () => {
    const load = { knee: 4, degrade: 0 };
    for (const [count, endsAt] of [
      [1, 1000],
      [4, 1000],
      [8, 2000],
      [10, 2500],
    ] as const) {
      const ends = await endsOf(together(count), load);
      for (const end of ends) expect(end).toBeCloseTo(endsAt, 6);
    }
  });

  test('above the knee some of it is lost', async () => {
    const [end] = await endsOf(together(8), { knee: 4, degrade: 0.5 });
    expect(end).toBeCloseTo(2000 * 1.5, 6);
    const [later] = await endsOf(together(12), { knee: 4, degrade: 0.5 });
    expect(later).toBeCloseTo(3000 * (1 + 0.5 * 2 ** 2), 6);
    const byDefault = await endsOf(together(8), { knee: 4 });
    expect(byDefault[0]).toBeCloseTo(2000 * 1.3, 6);
  });

  test('who comes later slows down who is there, who goes speeds them up', async () => {
    // Alone for 500, two for 1000 at half speed, alone for the rest.
    const ends = await endsOf(
      [
        { at: 0, workMs: 2000 },
        { at: 500, workMs: 500 },
      ],
      { knee: 1, degrade: 0 },
    );
    expect(ends).toEqual([2500, 1500]);
  });

  const planned = fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 3000 }),
      workMs: fc.integer({ min: 1, max: 2000 }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const load = fc.record({
    knee: fc.integer({ min: 1, max: 5 }),
    degrade: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  test('agrees with small steps of time', async () => {
    await fc.assert(
      fc.asyncProperty(planned, load, async (jobs, load) => {
        const ends = await endsOf(jobs, load);
        const stepMs = 0.5;
        const left = jobs.map(({ workMs }) => workMs);
        const expected: number[] = [];
        for (let now = 0; left.some((ms) => ms > 0); now += stepMs) {
          const isOn = jobs.map(({ at }, index) => at <= now && left[index]! > 0);
          const speed = speedOf(isOn.filter(Boolean).length, load);
          for (const index of jobs.keys()) {
            if (!isOn[index]) continue;
            left[index]! -= stepMs * speed;
            if (left[index]! <= 0) expected[index] = now + stepMs;
          }
        }
        for (const [index, end] of ends.entries()) {
          expect(Math.abs(end - expected[index]!)).toBeLessThan(expected[index]! * 0.01 + 20);
        }
      }),
      { seed: 5, numRuns: 25 },
    );
  });

  test('does not depend on the order of those who come at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(planned, load, async (jobs, load) => {
        const forward = await endsOf(jobs, load);
        const backward = await endsOf(jobs.toReversed(), load);
        for (const [index, end] of backward.reverse().entries()) {
          expect(end).toBeCloseTo(forward[index]!, 3);
        }
      }),
      { seed: 6, numRuns: 40 },
    );
  });
});

describe('a job', () => {
  test('has its milestones in order, and one timer waits for all jobs', async () => {
    const clock = createVirtualClock();
    const server = createServer(clock);
    const seen: string[] = [];
    for (const name of ['a', 'b']) {
      server.start({
        milestones: [0, 100, 100, 250],
        onMilestone: (index) => seen.push(`${name}${index} ${clock.now()}`),
        onEnd: () => seen.push(`${name} ends ${clock.now()}`),
      });
    }
    expect([clock.pending, server.inFlight]).toEqual([1, 2]);
    await clock.runAll();
    expect(seen.filter((text) => text.startsWith('a'))).toEqual([
      'a0 0',
      'a1 100',
      'a2 100',
      'a3 250',
      'a ends 250',
    ]);
    expect(seen).toHaveLength(10);
    expect([clock.pending, server.inFlight, server.peakInFlight]).toEqual([0, 0, 2]);
  });

  test('that is cancelled makes room at once, and only once', async () => {
    const clock = createVirtualClock();
    const server = createServer(clock, { knee: 1, degrade: 0 });
    const ends: string[] = [];
    const start = (name: string) =>
      server.start({
        milestones: [1000],
        onMilestone: () => {},
        onEnd: () => ends.push(`${name} ${clock.now()}`),
      });
    const first = start('first');
    start('second');
    await clock.advance(1500);
    first.cancel();
    first.cancel();
    expect(server.inFlight).toBe(1);
    await clock.runAll();
    // Half of the speed for 1500, then all of it.
    expect(ends).toEqual(['first 1500', 'second 1750']);
    first.cancel();
    expect([server.inFlight, clock.pending]).toEqual([0, 0]);
  });

  test('is done at once without a clock', () => {
    const server = createServer(undefined);
    const seen: unknown[] = [];
    const { cancel } = server.start({
      milestones: [0, 100],
      onMilestone: (index) => seen.push(index),
      onEnd: () => seen.push('end'),
    });
    cancel();
    expect(seen).toEqual([0, 1, 'end']);
    expect([server.inFlight, server.peakInFlight]).toEqual([0, 1]);
  });
});
