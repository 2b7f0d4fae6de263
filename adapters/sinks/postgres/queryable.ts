import { RouterError } from '../../../src/errors.ts';

/**
 * The part of a PostgreSQL client that is used. Pool and Client of `pg`, `sql` of postgres.js, PGlite and their like fit. All values
 * are texts; what comes back is an array of rows or an object that has one as `rows`.
 */
export type PgQueryable =
  | { query(text: string, values: string[]): PromiseLike<unknown> }
  | {
      unsafe(text: string, values: string[], options: { prepare: boolean }): PromiseLike<unknown>;
    };

/** As `PgQueryable`'s `query`. */
export type PgQuery = (text: string, values: string[]) => PromiseLike<unknown>;

/** One statement, whatever the client. With a name it may stay prepared. */
export type Run = (
  text: string,
  values?: readonly string[],
  name?: string,
) => Promise<readonly unknown[]>;

export interface PgSource {
  readonly pool?: PgQueryable | (() => PgQueryable | Promise<PgQueryable>) | undefined;
  readonly query?: PgQuery | undefined;
}

type NamedQuery = (text: string, values: string[], name?: string) => PromiseLike<unknown>;

/** A factory is asked at the first statement, and again while it fails. */
export function runner({ pool, query }: PgSource): Run {
  if ((pool === undefined) === (query === undefined)) {
    throw new RouterError(
      'ERR_OPTIONS',
      'postgresSink: give one of `pool`, a client of pg, postgres.js or PGlite, and `query`, a function',
    );
  }
  if (query !== undefined && typeof query !== 'function') throw wrong('query', 'a function');
  let found: NamedQuery | undefined = query && ((text, values) => query(text, values));
  if (pool !== undefined && (isQueryable(pool) || typeof pool !== 'function')) {
    found = queryOf(pool);
  }
  return async (text, values = [], name) => {
    found ??= queryOf(typeof pool === 'function' && !isQueryable(pool) ? await pool() : pool);
    return rowsOf(await found(text, [...values], name));
  };
}

function queryOf(pool: unknown): NamedQuery {
  if (!isQueryable(pool)) throw wrong('pool', 'a client with `query` or `unsafe`');
  hearErrors(pool);
  // A client made with `prepare: false`, for a proxy, still prepares nothing.
  if ('unsafe' in pool) {
    return (text, values, name) => pool.unsafe(text, values, { prepare: name !== undefined });
  }
  if (isNodePostgres(pool)) return preparing(pool);
  return (text, values) => pool.query(text, values);
}

/** `sql` of postgres.js is a function itself. */
function isQueryable(value: unknown): value is PgQueryable {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return (
    ('query' in value && typeof value.query === 'function') ||
    ('unsafe' in value && typeof value.unsafe === 'function')
  );
}

/** Pool and Client of `pg`. */
interface NodePostgres {
  query(text: string, values: string[]): PromiseLike<unknown>;
  query(config: { name: string; text: string; values: string[] }): PromiseLike<unknown>;
}

function isNodePostgres(pool: object): pool is NodePostgres {
  return 'totalCount' in pool || 'escapeIdentifier' in pool;
}

/** A statement of that name is not there, or is already: what a proxy shows that hands connections around. */
const LOST_STATEMENT: readonly string[] = ['26000', '42P05'];

/** Planning costs as much as storing a hundred rows, so that statements stay prepared where that works. */
function preparing(pool: NodePostgres): NamedQuery {
  let works = true;
  return async (text, values, name) => {
    if (!works || name === undefined) return pool.query(text, values);
    try {
      return await pool.query({ name, text, values });
    } catch (error) {
      if (!LOST_STATEMENT.includes(sqlState(error))) throw error;
      works = false;
      return pool.query(text, values);
    }
  };
}

/** PostgreSQL's code of an error (SQLSTATE, five digits and letters), of whatever client; empty when it has none. */
export function sqlState(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : '';
}

interface Emitter {
  on(event: 'error', listener: () => void): unknown;
  listenerCount(event: 'error'): number;
}

/**
 * `pg` emits an error when a connection that idles breaks, and nobody listening ends the process. Our next statement learns of it
 * anyway. The listener stays after `close`, as the connections in the pool do.
 */
function hearErrors(pool: object): void {
  if (isEmitter(pool) && pool.listenerCount('error') === 0) pool.on('error', () => undefined);
}

function isEmitter(value: object): value is Emitter {
  return (
    'on' in value &&
    typeof value.on === 'function' &&
    'listenerCount' in value &&
    typeof value.listenerCount === 'function'
  );
}

function rowsOf(result: unknown): readonly unknown[] {
  if (Array.isArray(result)) return result;
  if (typeof result === 'object' && result !== null && 'rows' in result) {
    return rowsOf(result.rows);
  }
  throw wrong('query', 'a function that resolves with rows, or with an object that has `rows`');
}

function wrong(option: string, expected: string): RouterError {
  return new RouterError('ERR_OPTIONS', `postgresSink: ${option} must be ${expected}`);
}
