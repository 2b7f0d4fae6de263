/** One of several processes that race for a budget in Redis: node redis-racer.ts <prefix> <calls>. Tells its parent what it spent. */
import { Redis } from 'ioredis';
import { redisStore } from '../../adapters/stores/redis/index.ts';
import { createRouter } from '../../src/index.ts';
import { simulateProvider } from '../../src/testing/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { picoDollars } from '../../src/util/usd.ts';
import { redisUrl } from '../helpers/services.ts';

const [prefix = '', calls = '0'] = process.argv.slice(2);
const client = new Redis(redisUrl);
const router = createRouter({
  store: redisStore({ client, prefix, timeoutMs: 2000 }),
  fetch: simulateProvider({
    provider: 'openai',
    clock: { ...systemClock, setTimeout: (fn, ms) => setTimeout(fn, ms) },
    firstByteMs: 5,
    durationMs: 20,
    answer: () => 'word'.repeat(100 + Math.floor(Math.random() * 4000)),
  }),
  limits: [{ adaptive: false }],
  budgets: [{ name: 'race', window: { ms: 3_600_000 }, maxUsd: 5 }],
});
let spent = 0n;
let largest = 0n;
router.on('usage', ({ cost }) => {
  const amount = picoDollars(cost.usd) ?? 0n;
  spent += amount;
  if (amount > largest) largest = amount;
});
const statuses: Record<string, number> = {};
await Promise.all(
  Array.from({ length: Number(calls) }, async (_, place) => {
    const response = await router.fetch('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({
        model: 'gpt-4o',
        stream: place % 2 === 0,
        messages: [{ role: 'user', content: `${process.pid} ${place}` }],
      }),
    });
    await response.text();
    const outcome = `${response.status} ${response.headers.get('x-tokenrouter-error') ?? ''}`;
    statuses[outcome] = (statuses[outcome] ?? 0) + 1;
  }),
);
await router.close();
client.disconnect();
process.send?.({ spent: String(spent), largest: String(largest), statuses });
process.disconnect();
