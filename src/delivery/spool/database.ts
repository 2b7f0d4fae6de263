/** The part of node:sqlite that the spool uses. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface Statement {
  run(...values: ReadonlyArray<string | number>): unknown;
  get(...values: ReadonlyArray<string | number>): unknown;
  all(...values: ReadonlyArray<string | number>): readonly unknown[];
}

/** What node:sqlite exports: `Database` since Node 26.11 (2026), where `DatabaseSync` is its deprecated alias. */
interface SqliteModule {
  Database?: DatabaseClass;
  DatabaseSync?: DatabaseClass;
}

type DatabaseClass = new (path: string, options: { timeout: number }) => Database;

/** Opens a file without waiting for locks. Throws `NoSqliteError` where this Node has no node:sqlite. */
export function openDatabase(path: string): Database {
  // Not `import`: bundlers take the prefix off `node:sqlite`, and then it names a package of the registry.
  const sqlite: SqliteModule | undefined = process.getBuiltinModule('node:sqlite');
  const Database = sqlite?.Database ?? sqlite?.DatabaseSync;
  if (Database === undefined) throw new NoSqliteError();
  return new Database(path, { timeout: 0 });
}

export class NoSqliteError extends Error {
  override readonly name = 'NoSqliteError';
  readonly code = 'ERR_UNKNOWN_BUILTIN_MODULE';

  constructor() {
    super(`Node ${process.version} has no node:sqlite here (it comes with 22.13)`);
  }
}

/** One column of a row that is a number; `undefined` when it is NULL or there is no row. */
export function numberIn(row: unknown, column: string): number | undefined {
  const value: unknown =
    typeof row === 'object' && row !== null ? Reflect.get(row, column) : undefined;
  return typeof value === 'number' ? value : undefined;
}
