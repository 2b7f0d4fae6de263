import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { noRedis, redisUrl } from '../helpers/services.ts';

interface Told {
  readonly spent: string;
  readonly largest: string;
  readonly statuses: Readonly<Record<string, number>>;
}

function racer(prefix: string, calls: number): Promise<Told> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'redis-racer.ts');
    const child = fork(script, [prefix, String(calls)], {
      execArgv: ['--conditions=@tokenrouter/source', '--disable-warning=ExperimentalWarning'],
    });
    child.once('message', (told) => {
      resolve(told as Told);
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`A racer ended with ${String(code)}.`));
    });
  });
}

describe.skipIf(noRedis !== undefined)('four processes over Redis', () => {
  test('spend five dollars and one call at most, and refuse nobody before', async () => {
    const prefix = `test-${randomUUID()}`;
    try {
      const told = await Promise.all([1, 2, 3, 4].map(() => racer(prefix, 250)));
      const spent = told.reduce((sum, each) => sum + BigInt(each.spent), 0n);
      const largest = told.map((each) => BigInt(each.largest)).reduce((a, b) => (a > b ? a : b));
      const limit = 5_000_000_000_000n;
      expect(spent).toBeLessThanOrEqual(limit + largest);
      expect(spent).toBeGreaterThanOrEqual(limit);
      for (const { statuses } of told) {
        expect(Object.values(statuses).reduce((a, b) => a + b)).toBe(250);
        for (const outcome of Object.keys(statuses)) {
          expect(['200 ', '429 ERR_BUDGET_EXCEEDED']).toContain(outcome);
        }
      }
    } finally {
      const client = new Redis(redisUrl);
      for (const key of await client.keys(`${prefix}*`)) await client.del(key);
      client.disconnect();
    }
  }, 90_000);
});
