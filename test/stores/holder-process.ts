/** One process that sends as much as pools in Redis let through, and prints what it sent when. Started by `processes.test.ts`. */
import { Redis } from 'ioredis';

import { redisStore } from '../../adapters/stores/redis/index.ts';
import type { PoolName } from '../../src/stores/types.ts';
import { createSeededRandom } from '../../src/testing/seeded-random.ts';
import { systemClock } from '../../src/util/clock.ts';
import { saturate, type Sent } from './saturate.ts';

const [url = '', prefix = '', holder = '', windowText = '', endText = ''] = process.argv.slice(2);
const windowMs = Number(windowText);
const endAt = Number(endText);
const client = new Redis(url);
const store = redisStore({ client, prefix, timeoutMs: 5_000 });
const random = createSeededRandom(holder.charCodeAt(0));
const poolOf = (key: string, limit: number) => (): PoolName => ({
  key,
  limit,
  window: { kind: 'sliding', windowMs },
});

const sent: Sent[] = [];
const running = saturate({
  pools: [poolOf('requests', 600), poolOf('tokens', 100_000)],
  store,
  holder,
  clock: systemClock,
  random,
  // On average both limits are reached at about the same time.
  next() {
    const used = 60 + Math.floor(random() * 220);
    return [
      { taken: 1, used: 1 },
      { taken: Math.ceil(used * 1.3), used },
    ];
  },
  callMs: () => (windowMs / 60) * (0.5 + random()),
  onSent(call) {
    sent.push({ ...call, at: performance.timeOrigin + call.at });
  },
});

setTimeout(async () => {
  running.stop();
  await Promise.all(running.pools.map(async (pool) => pool.close()));
  await store.close();
  client.disconnect();
  console.log(JSON.stringify(sent.map(({ at, units }) => [at, ...units])));
}, endAt - Date.now());
