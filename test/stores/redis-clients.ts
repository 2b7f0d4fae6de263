/** The three clients, connected. */
import { Redis as IoRedis } from 'ioredis';
import { Redis as IoValkey } from 'iovalkey';
import { createClient } from 'redis';

import type { RedisClient } from '../../adapters/stores/redis/index.ts';

export interface Connected {
  readonly client: RedisClient;
  close(): void;
}

const silent = (): void => undefined;

export const CLIENTS: Readonly<Record<string, (url: string) => Promise<Connected>>> = {
  async ioredis(url) {
    const client = new IoRedis(url);
    client.on('error', silent);
    return { client, close: () => client.disconnect() };
  },
  async iovalkey(url) {
    const client = new IoValkey(url);
    client.on('error', silent);
    return { client, close: () => client.disconnect() };
  },
  async 'node-redis'(url) {
    const client = createClient({ url });
    client.on('error', silent);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
};
