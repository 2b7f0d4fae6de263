/** What is used of the three clients, and how they are told apart. */
import { RouterError } from '../../../src/errors.ts';

/** ioredis and iovalkey: `Redis` and `Cluster` of both. */
export interface IoredisClient {
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  get(key: string): Promise<unknown>;
  disconnect(): unknown;
}

/** node-redis (`redis`, `@redis/client`): what `createClient`, `createClientPool` and `createCluster` give. */
export interface NodeRedisClient {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  get(key: string): Promise<unknown>;
  destroy(): unknown;
}

export type RedisClient = IoredisClient | NodeRedisClient;

/** One script, by its hash; `eval` for a server that does not know it yet. Each key is of its own slot. */
export interface ScriptRunner {
  evalSha(sha: string, key: string, args: readonly string[]): Promise<unknown>;
  eval(script: string, key: string, args: readonly string[]): Promise<unknown>;
  get(key: string): Promise<unknown>;
  /** Closes the connection at once. */
  disconnect(): void;
}

/** Throws `ERR_OPTIONS` for anything else. */
export function runnerFor(client: RedisClient): ScriptRunner {
  if ('evalSha' in client && typeof client.evalSha === 'function') {
    return {
      evalSha: async (sha, key, args) => client.evalSha(sha, { keys: [key], arguments: [...args] }),
      eval: async (script, key, args) => client.eval(script, { keys: [key], arguments: [...args] }),
      get: async (key) => client.get(key),
      disconnect: () => void client.destroy(),
    };
  }
  if ('evalsha' in client && typeof client.evalsha === 'function') {
    return {
      evalSha: async (sha, key, args) => {
        expectConnected(client);
        return client.evalsha(sha, 1, key, ...args);
      },
      eval: async (script, key, args) => client.eval(script, 1, key, ...args),
      get: async (key) => {
        expectConnected(client);
        return client.get(key);
      },
      disconnect: () => void client.disconnect(),
    };
  }
  throw new RouterError(
    'ERR_OPTIONS',
    'redisStore: expected client to be one of ioredis, iovalkey or node-redis, which have evalsha or evalSha',
  );
}

/** ioredis keeps commands until it is connected again, by default for long; they would be late for everybody. */
function expectConnected(client: IoredisClient): void {
  const status = 'status' in client ? client.status : undefined;
  if (status === 'reconnecting' || status === 'close' || status === 'end') {
    throw new Error('redisStore: not connected to Redis');
  }
}

/** Without a listener Node ends the process when a client tells of a lost connection. Returns what takes it away. */
export function ignoreErrors(client: RedisClient): () => void {
  const ignore = (): void => undefined;
  if (!('on' in client && typeof client.on === 'function')) return ignore;
  client.on('error', ignore);
  return () => {
    if ('off' in client && typeof client.off === 'function') client.off('error', ignore);
  };
}
