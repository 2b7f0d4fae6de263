import { RouterError } from '../errors.ts';
import type { UsageRecord } from '../types.ts';
import { checkSqlName } from '../util/sql-name.ts';
import { recordOfRow, ROW_CELLS } from './postgres-row.ts';
import { ALWAYS, isRecord, type RecordReader, type TimeRange } from './record-source.ts';

/**
 * What runs a statement: Pool or Client of `pg`, PGlite, `sql` of postgres.js, or a function. It resolves with rows, or with an
 * object that has them as `rows`.
 */
export type PgReadable =
  | { query(text: string, values: string[]): PromiseLike<unknown> }
  | { unsafe(text: string, values: string[]): PromiseLike<unknown> }
  | ((text: string, values: string[]) => PromiseLike<unknown>);

export interface PostgresRecordsOptions {
  /** The schema of the table `requests`, as of `postgresSink`. Default `public`. */
  schema?: string | undefined;
}

/**
 * Reads what `postgresSink` wrote, by time, in pages of 500 rows; other connections may write meanwhile. Rejects with what the client
 * rejects with.
 */
export function postgresRecords(
  pool: PgReadable,
  { schema = 'public' }: PostgresRecordsOptions = {},
): RecordReader {
  checkSqlName('postgresRecords: schema', schema);
  const run = runner(pool);
  const text = pageOf(schema);
  let skipped = 0;

  async function* between({ from, to }: TimeRange): AsyncGenerator<UsageRecord> {
    skipped = 0;
    let last: Place = { at: timestamp(from), id: '' };
    for (;;) {
      const page = rowsOf(await run(text, [last.at, last.id, timestamp(to)]));
      for (const row of page) {
        const record = recordOfRow(row);
        if (isRecord(record)) yield record;
        else skipped++;
      }
      const end = page.findLast(isPlace);
      if (page.length < PAGE || end === undefined) return;
      last = end;
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

const PAGE = 500;

/**
 * Behind the last row of the page before, in the order of the primary key: no page costs more than another. Moments go as
 * texts, because some clients make a `Date` of what PostgreSQL takes for a time.
 */
function pageOf(schema: string): string {
  return (
    `SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, id, ` +
    `json_build_array(${ROW_CELLS.join(', ')})::text AS cells, details::text AS details ` +
    `FROM "${schema}".requests ` +
    `WHERE (started_at, id) > ($1::text::timestamptz, $2::text) AND started_at < $3::text::timestamptz ` +
    `ORDER BY started_at, id LIMIT ${PAGE}`
  );
}

interface Place {
  readonly at: string;
  readonly id: string;
}

function isPlace(row: unknown): row is Place {
  if (typeof row !== 'object' || row === null || !('at' in row) || !('id' in row)) return false;
  return typeof row.at === 'string' && typeof row.id === 'string';
}

function timestamp(ms: number): string {
  if (!Number.isFinite(ms)) return ms < 0 ? '-infinity' : 'infinity';
  return new Date(ms).toISOString();
}

type Run = (text: string, values: string[]) => PromiseLike<unknown>;

/** `sql` of postgres.js is a function too. */
function runner(pool: PgReadable): Run {
  if ((typeof pool === 'object' || typeof pool === 'function') && pool !== null) {
    if ('unsafe' in pool && typeof pool.unsafe === 'function') {
      return (text, values) => pool.unsafe(text, values);
    }
    if ('query' in pool && typeof pool.query === 'function') {
      return (text, values) => pool.query(text, values);
    }
    if (typeof pool === 'function') return pool;
  }
  throw new RouterError(
    'ERR_OPTIONS',
    'postgresRecords: give a client of pg, postgres.js or PGlite, or a function that runs a statement',
  );
}

function rowsOf(result: unknown): readonly unknown[] {
  if (Array.isArray(result)) return result;
  if (typeof result === 'object' && result !== null && 'rows' in result) return rowsOf(result.rows);
  throw new RouterError(
    'ERR_OPTIONS',
    'postgresRecords: expected rows, or an object that has `rows`, from the client or function',
  );
}
