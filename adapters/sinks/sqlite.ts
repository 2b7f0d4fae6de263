import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { RouterError } from '../../src/errors.ts';
import type { Sink, UsageRecord } from '../../src/types.ts';
import { picoDollars } from '../../src/util/usd.ts';
import { checkOptionNames } from '../../src/util/option-names.ts';
import { recordJson } from '../../src/util/record-json.ts';
import { checkSqlName } from '../../src/util/sql-name.ts';
import { NO_SQLITE, sqliteClass } from '../../src/util/sqlite.ts';
import type { SqliteValue } from '../../src/util/sqlite.ts';

/** The part of a SQLite library that is used: `DatabaseSync` of node:sqlite and better-sqlite3 both fit. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

export interface SqliteStatement {
  run(...values: SqliteValue[]): unknown;
  get(...values: SqliteValue[]): unknown;
}

export type { SqliteValue };

export type SqliteSinkOptions = {
  /** Name of the table. Default `usage_records`. */
  table?: string | undefined;
} & (
  | {
      /** The database file; it and missing folders are made. Needs node:sqlite. */
      path: string;
      /**
       * How long a write waits, blocking this process, while another process writes. After that the batch is rejected
       * and delivered again later. Default 250.
       */
      busyTimeoutMs?: number | undefined;
    }
  | {
      /** An open database. It stays yours: its settings are not changed and `close` leaves it open. */
      database: SqliteDatabase;
    }
);

/**
 * Inserts records into one SQLite table, a transaction a batch, idempotent by id: columns for what people query and the
 * whole record as JSON in `record` (`json_extract(record, '$.context.tags.feature')`). `rowid` is the order of arrival.
 *
 * Writes are synchronous: a batch of 200 blocks for about a millisecond. The database is opened at the first write; a
 * failure then or later rejects the batch, and delivery tries again.
 *
 * Throws at once when `path` is given and this Node has no node:sqlite.
 */
export function sqliteSink(options: SqliteSinkOptions): Sink {
  checkOptionNames('sqliteSink', options, OPTIONS);
  const { table = 'usage_records' } = options;
  checkSqlName('sqliteSink: table', table);
  const open = opener(options);
  let database: SqliteDatabase | undefined;
  let insert: SqliteStatement | undefined;
  let closed = false;

  /** Everything or nothing; `IMMEDIATE` waits for another writer here and not in the middle. */
  function transaction(db: SqliteDatabase, work: () => void): void {
    db.exec('BEGIN IMMEDIATE');
    try {
      work();
      db.exec('COMMIT');
    } catch (error) {
      try {
        db.exec('ROLLBACK');
      } catch {
        // SQLite has already rolled back, as it does when the disk is full.
      }
      throw error;
    }
  }

  return {
    name: 'sqlite',
    async write(records: readonly UsageRecord[]): Promise<void> {
      if (closed) throw new Error('sqliteSink: write after close; make a new sink');
      if (records.length === 0) return;
      const db = (database ??= open());
      if (insert === undefined) {
        transaction(db, () => db.exec(createTable(table)));
        insert = db.prepare(insertInto(table));
      }
      const statement = insert;
      transaction(db, () => {
        for (const record of records) {
          statement.run(...COLUMNS.map(([, , read]) => read(record)));
        }
      });
    },
    async close(): Promise<void> {
      if (closed) return;
      closed = true;
      insert = undefined;
      if ('path' in options) database?.close();
      database = undefined;
    },
  };
}

const OPTIONS: Readonly<Record<'table' | 'path' | 'busyTimeoutMs' | 'database', true>> = {
  table: true,
  path: true,
  busyTimeoutMs: true,
  database: true,
};

/** Of the file, in `user_version`. Raised together with a migration from the version before. */
const SCHEMA_VERSION = 1;

type Column = readonly [
  name: string,
  type: 'TEXT' | 'INTEGER' | 'REAL',
  read: (record: UsageRecord) => SqliteValue,
];

/** In the order of the table; names are part of what users query. */
const COLUMNS: readonly Column[] = [
  ['id', 'TEXT', (r) => text(r.id)],
  ['call_id', 'TEXT', (r) => text(r.callId)],
  ['attempt', 'INTEGER', (r) => number(r.attempt)],
  ['final', 'INTEGER', (r) => flag(r.final)],
  ['started_at', 'TEXT', (r) => text(r.startedAt)],
  ['provider', 'TEXT', (r) => text(r.provider)],
  ['api', 'TEXT', (r) => text(r.api)],
  ['request_model', 'TEXT', (r) => text(r.requestModel)],
  ['response_model', 'TEXT', (r) => text(r.responseModel)],
  ['route', 'TEXT', (r) => text(r.route)],
  ['target', 'TEXT', (r) => text(r.target)],
  ['stream', 'INTEGER', (r) => flag(r.stream)],
  ['outcome', 'TEXT', (r) => text(r.outcome)],
  ['status', 'INTEGER', (r) => number(r.status)],
  ['error_code', 'TEXT', (r) => text(r.errorCode)],
  ['provider_request_id', 'TEXT', (r) => text(r.providerRequestId)],
  ['input_tokens', 'INTEGER', (r) => number(r.usage.inputTokens.total)],
  ['uncached_tokens', 'INTEGER', (r) => number(r.usage.inputTokens.uncached)],
  ['cache_read_tokens', 'INTEGER', (r) => number(r.usage.inputTokens.cacheRead)],
  ['cache_write_tokens', 'INTEGER', (r) => number(r.usage.inputTokens.cacheWrite)],
  ['cache_write_1h_tokens', 'INTEGER', (r) => number(r.usage.inputTokens.cacheWrite1h)],
  ['output_tokens', 'INTEGER', (r) => number(r.usage.outputTokens.total)],
  ['reasoning_tokens', 'INTEGER', (r) => number(r.usage.outputTokens.reasoning)],
  ['usage_grade', 'TEXT', (r) => text(r.usage.grade)],
  ['cost_usd', 'TEXT', (r) => text(r.cost.usd)],
  ['cost_pico_usd', 'INTEGER', (r) => int64(picoDollars(r.cost.usd))],
  ['price', 'TEXT', (r) => text(r.cost.price)],
  ['price_date', 'TEXT', (r) => text(r.cost.priceDate)],
  ['saved_cache_usd', 'TEXT', (r) => text(r.saved.cacheUsd)],
  ['saved_dedupe_usd', 'TEXT', (r) => text(r.saved.dedupeUsd)],
  ['queued_ms', 'REAL', (r) => number(r.timing.queuedMs)],
  ['held_ms', 'REAL', (r) => number(r.timing.heldMs)],
  ['time_to_headers_ms', 'REAL', (r) => number(r.timing.timeToHeadersMs)],
  ['time_to_first_chunk_ms', 'REAL', (r) => number(r.timing.timeToFirstChunkMs)],
  ['duration_ms', 'REAL', (r) => number(r.timing.durationMs)],
  ['dedupe_role', 'TEXT', (r) => text(r.dedupe?.role)],
  ['cache_miss', 'TEXT', (r) => text(r.cache?.miss?.reason)],
  ['tenant', 'TEXT', (r) => text(r.context.tenant)],
  ['user', 'TEXT', (r) => text(r.context.user)],
  ['priority', 'TEXT', (r) => text(r.context.priority)],
  ['session', 'TEXT', (r) => text(r.context.session)],
  ['record', 'TEXT', recordJson],
];

function createTable(table: string): string {
  const columns = COLUMNS.map(([name, type]) => `"${name}" ${type}`).join(', ');
  return (
    `CREATE TABLE IF NOT EXISTS "${table}" (${columns}, CHECK ("id" IS NOT NULL), UNIQUE ("id"));` +
    `CREATE INDEX IF NOT EXISTS "${table}_started_at" ON "${table}" ("started_at");`
  );
}

/** Not `INSERT OR IGNORE`: that would also leave out, in silence, a row that breaks another constraint. */
function insertInto(table: string): string {
  const columns = COLUMNS.map(([name]) => `"${name}"`).join(', ');
  const values = COLUMNS.map(() => '?').join(', ');
  return `INSERT INTO "${table}" (${columns}) VALUES (${values}) ON CONFLICT ("id") DO NOTHING`;
}

/** SQLite's own functions end a text at NUL. The whole text is in `record`. */
function text(value: string | null | undefined): string | null {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : null;
}

function number(value: number | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

function flag(value: boolean): number {
  return value ? 1 : 0;
}

/** For exact sums in SQL. `null` when it has no such form or goes beyond 64 bits (9.2 million dollars). */
function int64(pico: bigint | undefined): bigint | null {
  return pico !== undefined && BigInt.asIntN(64, pico) === pico ? pico : null;
}

function opener(options: SqliteSinkOptions): () => SqliteDatabase {
  if ('database' in options) return () => options.database;
  const { path, busyTimeoutMs = 250 } = options;
  if (typeof path !== 'string' || path === '') {
    throw new RouterError(
      'ERR_OPTIONS',
      'sqliteSink: give `path`, the name of a file, or `database`, an open one',
    );
  }
  if (!Number.isSafeInteger(busyTimeoutMs) || busyTimeoutMs < 0 || busyTimeoutMs > MAX_BUSY_MS) {
    throw new RouterError(
      'ERR_OPTIONS',
      `sqliteSink: busyTimeoutMs must be a whole number from 0 to ${MAX_BUSY_MS}, got ${String(busyTimeoutMs)}`,
    );
  }
  const Database = sqliteClass();
  if (Database === undefined) {
    throw new RouterError(
      'ERR_OPTIONS',
      `sqliteSink: ${NO_SQLITE}. Upgrade Node or hand in a better-sqlite3 database as \`database\``,
    );
  }
  return () => {
    mkdirSync(dirname(path), { recursive: true });
    const database = new Database(path, { timeout: busyTimeoutMs });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      setVersion(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  };
}

/** SQLite counts them in 32 bits. */
const MAX_BUSY_MS = 2 ** 31 - 1;

/** Only of files that were opened here: in a database handed in, `user_version` belongs to its owner. */
function setVersion(database: SqliteDatabase): void {
  const row = database.prepare('SELECT user_version AS version FROM pragma_user_version').get();
  const version =
    typeof row === 'object' && row !== null && 'version' in row ? Number(row.version) : 0;
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `sqliteSink: the file has schema version ${version}, this release writes ${SCHEMA_VERSION}. ` +
        'Upgrade tokenrouter, or, when the file belongs to another program, hand it in open as `database`',
    );
  }
  if (version < SCHEMA_VERSION) database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}
