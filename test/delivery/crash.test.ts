/** `kill -9` in the middle of calls, the sink's connections ended meanwhile. `bench/ledger/crash.ts` does it for longer. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import { crashRounds } from '../../bench/ledger/crash/rounds.ts';
import { noPostgres, postgresUrl } from '../helpers/services.ts';

const schema = (): string => `crash_${randomUUID().slice(0, 8)}`;

describe.skipIf(noPostgres !== undefined)('a process that is killed', () => {
  test('loses no call that its host saw finish, and none is stored twice (process)', async () => {
    const { finished, missing, stored, twice } = await crashRounds({
      durability: 'process',
      rounds: 3,
      postgresUrl,
      schema: schema(),
    });
    expect({ missing, twice }).toEqual({ missing: [0, 0, 0], twice: 0 });
    expect(finished).toBeGreaterThan(50);
    expect(stored).toBeGreaterThanOrEqual(finished);
  }, 120_000);

  test('loses at most what came in its last moments (batched)', async () => {
    const { finished, missing, windowMs, twice } = await crashRounds({
      durability: 'batched',
      rounds: 2,
      postgresUrl,
      schema: schema(),
    });
    expect(twice).toBe(0);
    expect(Math.max(...missing)).toBeLessThanOrEqual(256);
    // 5 ms, and as long as a busy machine lets a timer wait.
    expect(windowMs).toBeLessThan(500);
    expect(finished).toBeGreaterThan(50);
  }, 120_000);
});
