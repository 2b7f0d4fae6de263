import { hash } from 'node:crypto';

import { RouterError } from '../../../src/errors.ts';
import type { Exchange, Exchanged, Store } from '../../../src/stores/types.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { within } from '../../../src/util/within.ts';
import { ignoreErrors, runnerFor, type RedisClient, type ScriptRunner } from './clients.ts';
import { argumentsOf, exchangedOf, whole } from './exchange-wire.ts';
import { deleteScript, exchangeScript, setScript } from './scripts.ts';

export type { IoredisClient, NodeRedisClient, RedisClient } from './clients.ts';

export type RedisStoreOptions = {
  /** What every key begins with. Routers share what has the same. Default `tokenrouter`. */
  prefix?: string | undefined;
  /** How long Redis may take to answer, in milliseconds. Default 250. */
  timeoutMs?: number | undefined;
  /**
   * What routers do while Redis does not answer. `share`: each keeps by itself to one of `instances` equal shares of each limit.
   * `refuse`: each spends what it was granted, then calls wait and are refused in time. Default `share`.
   */
  whenAway?: 'share' | 'refuse' | undefined;
  /** How many routers share the limits, at most. Default 1: without Redis each router keeps to the whole of each limit. */
  instances?: number | undefined;
} & (
  | {
      /** A client of ioredis, iovalkey or node-redis (connected). It stays yours: `close` leaves it open. */
      client: RedisClient;
      clientFactory?: undefined;
    }
  | {
      /** Makes one at the first use; `close` disconnects it. When it throws or rejects, the next use calls it again. */
      clientFactory: () => RedisClient | Promise<RedisClient>;
      client?: undefined;
    }
);

/**
 * Shared state in Redis 6 or Valkey: each decision is one Lua script on one key, at the server's time, and each key expires.
 *
 * Rejects when Redis does not answer in time, says no or is not connected; routers then go on as `whenAway` says. Errors of
 * the connection are yours to log: the store listens for the client's `error` event only so that none ends the process.
 *
 * Throws `ERR_OPTIONS` for a client that it does not know.
 */
export function redisStore(options: RedisStoreOptions): Store {
  const {
    prefix = 'tokenrouter',
    timeoutMs = 250,
    whenAway = 'share',
    instances = 1,
  } = checked(options);
  const connection = connectionOf(options);
  let isClosed = false;

  async function ask<T>(work: (runner: ScriptRunner) => Promise<T>): Promise<T> {
    if (isClosed) throw new Error('redisStore: used after close');
    return within(connection.runner().then(work), timeoutMs, systemClock);
  }

  async function run(script: Script, key: string, args: readonly string[]): Promise<string> {
    return ask(async (runner) => {
      try {
        return text(await runner.evalSha(script.sha, key, args));
      } catch (error) {
        if (!(error instanceof Error && error.message.includes('NOSCRIPT'))) throw error;
        return text(await runner.eval(script.text, key, args));
      }
    });
  }

  const poolKey = (key: string): string => `${prefix}:{${key}}:pool`;
  const valueKey = (key: string): string => `${prefix}:{${key}}:value`;

  return {
    name: 'redis',
    away: { whenAway, instances },
    async exchange(exchange: Exchange): Promise<Exchanged> {
      const reply = await run(EXCHANGE, poolKey(exchange.pool.key), argumentsOf(exchange));
      return exchangedOf(reply);
    },
    async get(key: string): Promise<string | undefined> {
      const value = await ask(async (runner) => runner.get(valueKey(key)));
      return value === null || value === undefined ? undefined : text(value);
    },
    async set(key, value, { ttlMs, ifAbsent = false }): Promise<string> {
      const lastsMs = whole(Math.max(1, ttlMs));
      return run(SET, valueKey(key), [value, lastsMs, ifAbsent ? '1' : '0']);
    },
    async delete(key: string, value: string): Promise<void> {
      await run(DELETE, valueKey(key), [value]);
    },
    async close(): Promise<void> {
      if (isClosed) return;
      isClosed = true;
      connection.close();
    },
  };
}

function checked(options: RedisStoreOptions): RedisStoreOptions {
  const { prefix, timeoutMs, whenAway, instances } = options;
  expectOption('prefix', prefix, 'text without braces', (value) => /^[^{}]+$/.test(value));
  expectOption('timeoutMs', timeoutMs, 'more than 0', (value) => value > 0 && value < 2 ** 31);
  expectOption('whenAway', whenAway, "'share' or 'refuse'", (value) =>
    ['share', 'refuse'].includes(value),
  );
  expectOption(
    'instances',
    instances,
    'a whole number from 1 up',
    (value) => Number.isSafeInteger(value) && value >= 1,
  );
  return options;
}

function expectOption<T>(
  name: string,
  value: T | undefined,
  expected: string,
  isRight: (value: T) => boolean,
): void {
  if (value === undefined || isRight(value)) return;
  throw new RouterError(
    'ERR_OPTIONS',
    `redisStore: ${name} must be ${expected}, got ${JSON.stringify(value)}`,
  );
}

/** Clients can be set to give text as bytes. */
function text(reply: unknown): string {
  return typeof reply === 'string' || Buffer.isBuffer(reply) ? reply.toString() : '';
}

interface Script {
  readonly text: string;
  readonly sha: string;
}

function scriptOf(text: string): Script {
  return { text, sha: hash('sha1', text) };
}

const EXCHANGE = scriptOf(exchangeScript);
const SET = scriptOf(setScript);
const DELETE = scriptOf(deleteScript);

function connectionOf({ client, clientFactory }: RedisStoreOptions): {
  runner(): Promise<ScriptRunner>;
  close(): void;
} {
  if (client !== undefined) {
    const runner = runnerFor(client);
    const listenNoMore = ignoreErrors(client);
    return { runner: async () => runner, close: listenNoMore };
  }
  if (typeof clientFactory !== 'function') {
    throw new RouterError('ERR_OPTIONS', 'redisStore: expected client or clientFactory');
  }
  const factory = clientFactory;
  let opening: Promise<ScriptRunner> | undefined;

  async function open(): Promise<ScriptRunner> {
    try {
      const opened = await factory();
      const runner = runnerFor(opened);
      ignoreErrors(opened);
      return runner;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  }

  return {
    runner: async () => (opening ??= open()),
    close: () => {
      opening?.then(
        (runner) => runner.disconnect(),
        () => undefined,
      );
    },
  };
}
