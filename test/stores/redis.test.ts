import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';

import { redisStore } from '../../adapters/stores/redis/index.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { noRedis, redisUrl } from '../helpers/services.ts';
import { CLIENTS } from './redis-clients.ts';

describe.skipIf(noRedis !== undefined)('redisStore', () => {
  const prefix = `test-${randomUUID()}`;
  let made = 0;

  afterAll(async () => {
    const redis = new Redis(redisUrl);
    const keys = await redis.keys(`${prefix}*`);
    if (keys.length > 0) await redis.unlink(...keys);
    redis.disconnect();
  });

  describe.each(Object.entries(CLIENTS))('with %s keeps the store contract', (_name, connect) => {
    const cases = storeContract({
      async create() {
        const { client, close } = await connect(redisUrl);
        const store = redisStore({ client, prefix: `${prefix}-${made++}`, timeoutMs: 5_000 });
        return {
          store,
          dispose: async () => {
            await store.close();
            close();
          },
        };
      },
    });
    test.each(cases)('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
});
