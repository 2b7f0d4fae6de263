/** The Lua script decides as `PoolState` does: the same exchanges at the same times have the same answers from both. */
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';

import { argumentsOf, exchangedOf } from '../../adapters/stores/redis/exchange-wire.ts';
import { exchangeScript } from '../../adapters/stores/redis/scripts.ts';
import { PoolState } from '../../src/stores/pool-state.ts';
import type { Exchange, Exchanged, PoolName } from '../../src/stores/types.ts';
import { noRedis, redisUrl } from '../helpers/services.ts';

/** The script with a time that the test gives, as one more key. */
const timedScript = exchangeScript.replace(
  "redis.call('TIME')",
  '{ math.floor(tonumber(KEYS[2]) / 1000), (tonumber(KEYS[2]) % 1000) * 1000 }',
);

const START = 1_800_000_000_000;

const windows: fc.Arbitrary<PoolName['window']> = fc.oneof(
  fc.record({
    kind: fc.constant('sliding' as const),
    windowMs: fc.constantFrom(100, 2_000, 60_000, 1_200_000),
  }),
  fc.record({ kind: fc.constant('fixed' as const), endsInMs: fc.constantFrom(0, 90_000_000) }),
  fc.record({ kind: fc.constant('held' as const) }),
);

const units = fc.oneof(
  { weight: 8, arbitrary: fc.nat(120) },
  { weight: 1, arbitrary: fc.integer({ min: 2 ** 43, max: 2 ** 44 }) },
);

interface Step {
  readonly passedMs: number;
  readonly exchange: Omit<Exchange, 'pool'>;
}

const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc
      .record({
        passedMs: fc.oneof(
          { weight: 6, arbitrary: fc.nat(40) },
          { weight: 2, arbitrary: fc.nat(3_000) },
          { weight: 1, arbitrary: fc.nat(800_000) },
          // A server's clock that is set back.
          { weight: 1, arbitrary: fc.constant(-500) },
        ),
        holder: fc.constantFrom('a', 'b', 'c', '{ü\n%', ''),
        used: fc.array(
          fc.record({
            units: fc.oneof(
              { weight: 5, arbitrary: units },
              { weight: 1, arbitrary: fc.constant(-7) },
            ),
            agoMs: fc.oneof(fc.nat(50), fc.nat(70_000)),
          }),
          { maxLength: 4 },
        ),
        taken: units,
        needs: units,
        keeps: units,
        leaseMs: fc.constantFrom(10, 1_000, 10_000),
        /** How far behind the others it comes: mostly not at all. */
        behind: fc.oneof(
          { weight: 6, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.nat(9) },
        ),
        repeats: fc.nat(3),
        heard: fc.option(
          fc.record({
            at: fc.integer({ min: START - 100, max: START + 10_000 }),
            agoMs: fc.nat(2_000),
            used: fc.nat(300),
            held: fc.nat(30),
            heldByAll: fc.nat(90),
          }),
          { nil: undefined, freq: 4 },
        ),
      })
      .map(({ passedMs, needs, keeps, repeats, behind, ...exchange }) => (index: number) => {
        const sequence = Math.max(1, index + 1 - behind);
        return {
          passedMs,
          exchange: {
            ...exchange,
            atLeast: exchange.taken + needs,
            hold: exchange.taken + Math.max(needs, keeps),
            sequence,
            usedSince: Math.max(1, sequence - repeats),
          },
        };
      }),
    { minLength: 1, maxLength: 60 },
  )
  .map((list) => list.map((step, index) => step(index)));

describe.skipIf(noRedis !== undefined)('the exchange of redisStore', () => {
  const redis = new Redis(redisUrl);
  const key = `test-${randomUUID()}:{pool}`;

  afterAll(async () => {
    await redis.unlink(key);
    redis.disconnect();
  });

  async function expectParity(pool: PoolName, run: readonly Step[]): Promise<void> {
    await redis.unlink(key);
    let time = START;
    let state: PoolState | undefined;
    const answers: Exchanged[] = [];
    const replies: Promise<unknown>[] = [];
    for (const { passedMs, exchange } of run) {
      time += passedMs;
      const whole: Exchange = { ...exchange, pool };
      state ??= new PoolState(pool.window, time);
      answers.push(state.exchange(whole, time));
      replies.push(redis.eval(timedScript, 2, key, String(time), ...argumentsOf(whole)));
    }
    const answered = (await Promise.all(replies)).map((reply) => exchangedOf(String(reply)));
    expect(answered).toEqual(answers);
    expect(await redis.pttl(key)).toBeGreaterThan(50_000);
  }

  test('is that of PoolState', async () => {
    expect(timedScript).not.toBe(exchangeScript);
    await fc.assert(
      fc.asyncProperty(
        windows,
        fc.integer({ min: 0, max: 400 }),
        steps,
        async (window, limit, run) => expectParity({ key: 'pool', limit, window }, run),
      ),
      { numRuns: 300 },
    );
  }, 120_000);

  test('is that of PoolState, also after hundreds of reports in one window', async () => {
    const report = fc.record({ passedMs: fc.nat(300), agoMs: fc.nat(20_000), units: fc.nat(50) });
    const runs = fc.array(report, { minLength: 150, maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(runs, async (reports) => {
        const run = reports.map(({ passedMs, agoMs, units }, sequence) => ({
          passedMs,
          exchange: {
            holder: 'a',
            used: [{ units, agoMs }],
            taken: 0,
            atLeast: 100,
            hold: 200,
            leaseMs: 10_000,
            sequence: sequence + 1,
            usedSince: sequence + 1,
            heard: undefined,
          },
        }));
        await expectParity(
          { key: 'pool', limit: 8_000, window: { kind: 'sliding', windowMs: 60_000 } },
          run,
        );
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});
