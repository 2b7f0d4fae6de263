export type SqliteValue = string | number | bigint | null;

/** The part of node:sqlite that is used. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteStatement {
  run(...values: readonly SqliteValue[]): unknown;
  get(...values: readonly SqliteValue[]): unknown;
  all(...values: readonly SqliteValue[]): unknown[];
}

/** `timeout`: how long it waits for locks, blocking this process, in milliseconds. */
type DatabaseClass = new (
  path: string,
  options: { timeout: number; readOnly?: boolean },
) => SqliteDatabase;

/** What node:sqlite exports: `Database` since Node 26.11 (2026), where `DatabaseSync` is its deprecated alias. */
interface SqliteModule {
  Database?: DatabaseClass;
  DatabaseSync?: DatabaseClass;
}

/** The class of node:sqlite that opens files; `undefined` where this Node has none, see `NO_SQLITE`. */
export function sqliteClass(): DatabaseClass | undefined {
  // Not `import`: bundlers take the prefix off `node:sqlite`, and then it names a package of the registry.
  const sqlite: SqliteModule | undefined = process.getBuiltinModule('node:sqlite');
  return sqlite?.Database ?? sqlite?.DatabaseSync;
}

/** Why there is no class. */
export const NO_SQLITE: string =
  `Node ${process.version} has no node:sqlite here (it comes with 22.5; before 22.13 it needs --experimental-sqlite, and ` +
  '--no-experimental-sqlite turns it off)';
