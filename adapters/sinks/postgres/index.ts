import { RouterError } from '../../../src/errors.ts';
import type { Sink, UsageRecord } from '../../../src/types.ts';
import { checkOptionNames } from '../../../src/util/option-names.ts';
import { insertStatement, storeRows } from './insert.ts';
import { namesOf } from './names.ts';
import { partitionKeeper } from './partitions.ts';
import { checkPrices, storePrices } from './prices.ts';
import type { PostgresPrice } from './prices.ts';
import { runner } from './queryable.ts';
import type { PgQuery, PgQueryable } from './queryable.ts';
import { rowOf } from './rows.ts';
import { migrate } from './schema.ts';
import type { PostgresSchemaOptions } from './schema.ts';

export { postgresSchema } from './schema.ts';
export type { PgQuery, PgQueryable, PostgresPrice, PostgresSchemaOptions };

export type PostgresSinkOptions = PostgresSchemaOptions & {
  /**
   * `auto`: makes and migrates the tables at the first write, and the partitions of coming months, and needs the right to.
   * `check`: rejects until somebody has run `postgresSchema()`. `false`: does not look. Default `auto`.
   */
  migrate?: 'auto' | 'check' | false | undefined;
  /** Whether `daily_usage` and `cache_stats` are kept, in the same transaction. Default `true`. */
  aggregates?: boolean | undefined;
  /**
   * Partitions of `requests` are dropped when everything in them is older than this many days; the sums stay. Only with
   * `migrate: 'auto'`. Longer than a record may wait for delivery, or it comes a second time. Default: kept for ever.
   */
  retentionDays?: number | undefined;
  /** Goes to `model_pricing` at the first write. As the router's option `prices`. Default: none. */
  prices?: readonly PostgresPrice[] | undefined;
} & (
    | {
        /**
         * A client, or a function that makes one at the first write: Pool or Client of `pg`, `sql` of postgres.js, PGlite. It stays
         * yours: `close` leaves it open.
         */
        pool: PgQueryable | (() => PgQueryable | Promise<PgQueryable>);
        query?: undefined;
      }
    | {
        /** Runs one statement and resolves with its rows, or with an object that has them as `rows`. */
        query: PgQuery;
        pool?: undefined;
      }
  );

/**
 * Inserts records into PostgreSQL (13 and later), idempotent by id: `requests`, a row for each record, and in the same statement
 * the sums `daily_usage` and `cache_stats`. Every statement is a transaction by itself, so that any client will do.
 */
export function postgresSink(options: PostgresSinkOptions): Sink {
  const { schema = 'public', migrate: mode = 'auto', retentionDays, prices = [] } = options;
  check(options);
  const names = namesOf(schema);
  const run = runner(options);
  const insert = insertStatement(names, options.aggregates ?? true);
  const keepPartitions =
    mode === 'auto' ? partitionKeeper(run, names, retentionDays) : async () => undefined;
  let isReady = false;
  let closed = false;

  async function prepare(): Promise<void> {
    if (mode !== false) await migrate(run, { ...options, mode });
    await storePrices(run, names, prices);
    isReady = true;
  }

  return {
    name: 'postgres',
    async write(records: readonly UsageRecord[]): Promise<void> {
      if (closed) throw new Error('postgresSink: write after close; make a new sink');
      if (records.length === 0) return;
      const rows = records.map(rowOf);
      if (!isReady) await prepare();
      await keepPartitions(rows.map(({ startedAt }) => startedAt));
      await storeRows(run, insert, rows);
    },
    async close(): Promise<void> {
      closed = true;
    },
  };
}

const OPTIONS: Readonly<Record<keyof PostgresSinkOptions, true>> = {
  pool: true,
  query: true,
  schema: true,
  migrate: true,
  timescale: true,
  aggregates: true,
  retentionDays: true,
  prices: true,
};

function check(options: PostgresSinkOptions): void {
  checkOptionNames('postgresSink', options, OPTIONS);
  const { migrate, timescale, retentionDays, aggregates, prices = [] } = options;
  expectOneOf('migrate', migrate, ['auto', 'check', false]);
  expectOneOf('timescale', timescale, ['auto', false]);
  expectOneOf('aggregates', aggregates, [true, false]);
  checkPrices(prices);
  if (retentionDays === undefined) return;
  if (!Number.isSafeInteger(retentionDays) || retentionDays < 1 || retentionDays > 36_500) {
    throw new RouterError(
      'ERR_OPTIONS',
      `postgresSink: retentionDays must be a whole number from 1 to 36500, got ${String(retentionDays)}`,
    );
  }
}

function expectOneOf(option: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  const expected = allowed.map((each) => JSON.stringify(each)).join(' or ');
  throw new RouterError(
    'ERR_OPTIONS',
    `postgresSink: ${option} must be ${expected}, got ${JSON.stringify(value)}`,
  );
}
