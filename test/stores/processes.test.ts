/** Limits hold over processes: four of them, in real time, over Redis. A window is three seconds here instead of sixty. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';

import { noRedis, redisUrl } from '../helpers/services.ts';
import { loadOf } from './saturate.ts';

const WINDOW_MS = 3_000;
const WINDOWS = 4;

describe.skipIf(noRedis !== undefined)('four processes that always have more to send', () => {
  test('keep to 102 % in every window, and use 97 % of what they share', async () => {
    const prefix = `test-${randomUUID()}`;
    // Time to start in: what the four then do overlaps.
    const endAt = Date.now() + 1_500 + WINDOW_MS * WINDOWS;
    const sent = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (holder) => run(prefix, holder, endAt)),
    );
    const redis = new Redis(redisUrl);
    const keys = await redis.keys(`${prefix}*`);
    await redis.unlink(...keys);
    redis.disconnect();
    expect(keys.sort()).toEqual([`${prefix}:{requests}:pool`, `${prefix}:{tokens}:pool`]);

    const all = sent.flat();
    const load = (limit: number, unit: 1 | 2) =>
      loadOf(
        all.map((row) => ({ at: row[0], units: row[unit] })),
        limit,
        WINDOW_MS,
        endAt,
      );
    const requests = load(600, 1);
    const tokens = load(100_000, 2);
    expect(requests.most).toBeLessThanOrEqual(1.02);
    expect(tokens.most).toBeLessThanOrEqual(1.02);
    // At least one of them is what they wait for.
    expect(Math.max(requests.mean, tokens.mean)).toBeGreaterThan(0.97);
    // Nobody is left out, once all have started.
    const later = endAt - 2 * WINDOW_MS;
    const counts = sent.map((own) => own.filter(([at]) => at > later).length);
    expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) / 4);
  }, 60_000);
});

type Row = readonly [at: number, requests: number, tokens: number];

async function run(prefix: string, holder: string, endAt: number): Promise<readonly Row[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=@tokenrouter/source',
      fileURLToPath(new URL('holder-process.ts', import.meta.url)),
      redisUrl,
      prefix,
      holder,
      String(WINDOW_MS),
      String(endAt),
    ],
    { maxBuffer: 64 * 2 ** 20 },
  );
  const rows: Row[] = JSON.parse(stdout);
  return rows;
}
