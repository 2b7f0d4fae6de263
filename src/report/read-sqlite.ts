import { RouterError } from '../errors.ts';
import type { UsageRecord } from '../types.ts';
import { checkSqlName } from '../util/sql-name.ts';
import { NO_SQLITE, sqliteClass } from '../util/sqlite.ts';
import { ALWAYS, parseRecord, type RecordReader, type TimeRange } from './record-source.ts';

/** The part of a SQLite library that is used to read: `DatabaseSync` of node:sqlite and better-sqlite3 both fit. */
export interface ReadableDatabase {
  prepare(sql: string): {
    all(...values: ReadonlyArray<string | number>): unknown[];
    get(...values: ReadonlyArray<string | number>): unknown;
  };
}

export interface SqliteRecordsOptions {
  /** Name of the table. Default `usage_records`. */
  table?: string | undefined;
}

/**
 * Reads what `sqliteSink` wrote, by time: a file, opened to read only, or an open database. Other connections may write meanwhile.
 * Rejects with what SQLite says when there is no such file or table. Throws when a file is named and this Node has no node:sqlite.
 */
export function sqliteRecords(
  database: string | ReadableDatabase,
  { table = 'usage_records' }: SqliteRecordsOptions = {},
): RecordReader {
  checkSqlName('sqliteRecords: table', table);
  const open = opener(database);
  let skipped = 0;

  async function* between(range: TimeRange): AsyncGenerator<UsageRecord> {
    skipped = 0;
    const { db, close } = open();
    try {
      for (const json of recordsOf(db, table, range)) {
        const record = parseRecord(json);
        if (record === undefined) skipped++;
        else yield record;
      }
    } finally {
      close();
    }
  }

  return {
    [Symbol.asyncIterator]: () => between(ALWAYS),
    between,
    get skipped(): number {
      return skipped;
    },
  };
}

const PAGE = 1_000;

/**
 * Pages of keys, and each record by itself: a statement that stays open would keep a connection busy that others may share, and a
 * page of records could be of any size.
 */
function* recordsOf(db: ReadableDatabase, table: string, range: TimeRange): Generator {
  const { from, to } = secondsOf(range);
  const keys = db.prepare(pageOf(table));
  const record = db.prepare(`SELECT "record" FROM "${table}" WHERE "rowid" = ?`);
  let last: Key = { at: from, row: -1 };
  for (;;) {
    const page = keys.all(last.at, last.row, last.at, to).filter(isKey);
    for (const { row } of page) yield columnOf(record.get(row), 'record');
    const end = page.at(-1);
    if (page.length < PAGE || end === undefined) return;
    last = end;
  }
}

/**
 * The keys behind the last one. In two parts, as SQLite finds `(started_at, rowid) > (?, ?)` by the first of the two alone, and
 * many records may have the same time.
 */
function pageOf(table: string): string {
  const part = (where: string): string =>
    `SELECT * FROM (SELECT "started_at" AS "at", "rowid" AS "row" FROM "${table}" ` +
    `WHERE ${where} ORDER BY 1, 2 LIMIT ${PAGE})`;
  const same = part('"started_at" = ? AND "rowid" > ?');
  const later = part('"started_at" > ? AND "started_at" < ?');
  return `${same} UNION ALL ${later} ORDER BY 1, 2 LIMIT ${PAGE}`;
}

interface Key {
  readonly at: string;
  readonly row: number;
}

function isKey(value: unknown): value is Key {
  return typeof columnOf(value, 'at') === 'string' && typeof columnOf(value, 'row') === 'number';
}

function columnOf(row: unknown, name: string): unknown {
  return typeof row === 'object' && row !== null ? Reflect.get(row, name) : undefined;
}

/** Times are compared as texts here: whole seconds, which are right however many digits a text has behind its seconds. */
function secondsOf({ from, to }: TimeRange): { from: string; to: string } {
  return {
    from: second(Math.floor(from / 1000), ''),
    to: second(Math.ceil(to / 1000), '\u{10ffff}'),
  };
}

function second(seconds: number, otherwise: string): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? otherwise : date.toISOString().slice(0, 19);
}

interface OpenDatabase {
  readonly db: ReadableDatabase;
  readonly close: () => void;
}

function opener(database: string | ReadableDatabase): () => OpenDatabase {
  if (typeof database === 'object' && database !== null && typeof database.prepare === 'function') {
    // It stays its owner's.
    return () => ({ db: database, close: () => undefined });
  }
  if (typeof database !== 'string' || database === '') {
    throw new RouterError(
      'ERR_OPTIONS',
      'sqliteRecords: give the name of a file or an open database',
    );
  }
  const Database = sqliteClass();
  if (Database === undefined) {
    throw new RouterError(
      'ERR_OPTIONS',
      `sqliteRecords: ${NO_SQLITE}. Upgrade Node or hand in a better-sqlite3 database`,
    );
  }
  return () => {
    const db = new Database(database, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    return { db, close: () => db.close() };
  };
}

/** Readers wait for nobody but a process that repairs the file after a crash. */
const BUSY_TIMEOUT_MS = 1_000;
