/** Calls in any order through a whole router: aborted, refused, broken, asked again, while others wait. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { picoDollars } from '../../src/util/usd.ts';
import { calm, setUp, type Bench } from './provider.ts';

const OUTPUT = 1000;

/** What happens next, and to which of those that it can happen to. */
const step = fc.record({
  what: fc.constantFrom(
    ...(['call', 'call', 'call', 'answer', 'answer', 'refuse', 'fail', 'abort', 'wait'] as const),
  ),
  which: fc.nat({ max: 20 }),
  percent: fc.integer({ min: 0, max: 100 }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function run(limitUsd: string, usual: number, steps: readonly Step[]): Promise<void> {
  const bench = setUp([{ window: { ms: 31_622_400_000 }, maxUsd: limitUsd }], {
    retry: { maxAttempts: 2 },
  });
  const limit = picoDollars(limitUsd)!;
  const running: Array<{ controller: AbortController; done: Promise<unknown> }> = [];
  for (const { what, which, percent } of steps) {
    const request = bench.asked[which % Math.max(1, bench.asked.length)];
    switch (what) {
      case 'call': {
        const controller = new AbortController();
        const done = bench.call(OUTPUT, { signal: controller.signal }).catch(() => 'failed');
        running.push({ controller, done });
        break;
      }
      case 'answer':
        // As long as others, but for what the margin covers.
        request?.answer(10, Math.ceil((usual * (1000 - percent * 0.8)) / 1000));
        break;
      case 'refuse':
        request?.respond(Response.json({ error: {} }, { status: 500 }));
        break;
      case 'fail':
        request?.fail();
        break;
      case 'abort':
        running[which % Math.max(1, running.length)]?.controller.abort();
        break;
      case 'wait':
        await bench.clock.advance(percent * 100);
    }
    await calm();
    expectSound(bench, limit);
  }
  // Whoever still waits gets an answer, or is refused in time.
  for (let round = 0; round < 200; round++) {
    for (const request of bench.asked.slice()) request.answer(10, usual);
    await bench.clock.advance(1000);
  }
  await Promise.all(running.map(({ done }) => done));
  expectSound(bench, limit);
  const [budget] = bench.router.snapshot().budgets;
  expect(budget?.reservedUsd ?? '0').toBe('0');
  expect(bench.clock.pending).toBe(0);
}

/** Sizes are as the requests say at most: 1000 tokens and an input of 10. */
function expectSound(bench: Bench, limit: bigint): void {
  const spent = bench.spent();
  const largest = 1_010_000_000n;
  expect(spent).toBeLessThanOrEqual(limit + largest);
  const [budget] = bench.router.snapshot().budgets;
  if (budget !== undefined) expect(picoDollars(budget.spentUsd)).toBe(spent);
  // As long as a request is under way, something is reserved for it.
  if (bench.asked.length > 0) expect(budget?.reservedUsd).not.toBe('0');
}

test('no more is spent than the limit and one call, nothing stays reserved, nobody waits for ever', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('0.001', '0.005', '0.02'),
      fc.constantFrom(0, 1, 100, OUTPUT),
      fc.array(step, { minLength: 5, maxLength: 40 }),
      run,
    ),
    { numRuns: 40 },
  );
});
