import { NO_SQLITE, sqliteClass } from '../../util/sqlite.ts';
import type { SqliteDatabase } from '../../util/sqlite.ts';

/** Opens a file without waiting for locks. Throws `NoSqliteError` where this Node has no node:sqlite. */
export function openDatabase(path: string): SqliteDatabase {
  const Database = sqliteClass();
  if (Database === undefined) throw new NoSqliteError();
  return new Database(path, { timeout: 0 });
}

export class NoSqliteError extends Error {
  override readonly name = 'NoSqliteError';
  readonly code = 'ERR_UNKNOWN_BUILTIN_MODULE';

  constructor() {
    super(NO_SQLITE);
  }
}

/** One column of a row that is a number; `undefined` when it is NULL or there is no row. */
export function numberIn(row: unknown, column: string): number | undefined {
  const value: unknown =
    typeof row === 'object' && row !== null ? Reflect.get(row, column) : undefined;
  return typeof value === 'number' ? value : undefined;
}

/** Says what SQLite says of a damaged file, where that goes on in silence. */
export class CorruptError extends Error {
  readonly errcode = 11;

  constructor() {
    super('the log of the file is damaged');
  }
}

export function closeQuietly(database: SqliteDatabase): void {
  try {
    database.close();
  } catch {
    // It is closed already, or it cannot be: then the process's end closes it.
  }
}
