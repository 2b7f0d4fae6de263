import { errorLabel } from '../error-label.ts';
import type { ErrorLabel } from '../error-label.ts';
import { NoSqliteError } from './database.ts';

/**
 * Why the spool could not do something. `disk-full`, `read-only`, `corrupt` (a file is damaged or no database), `no-sqlite`
 * (this Node has no node:sqlite), `no-json` (a record has no JSON form); `unavailable` for everything else: no such folder, no
 * permission, a disk that fails.
 */
export type SpoolFault =
  | 'disk-full'
  | 'read-only'
  | 'corrupt'
  | 'no-sqlite'
  | 'no-json'
  | 'unavailable';

/** SQLite's result codes (sqlite.org/rescode.html, 2026-11-21); the low byte says what, the rest says more. */
const CODES: ReadonlyMap<number, readonly [name: string, fault: SpoolFault]> = new Map([
  [5, ['SQLITE_BUSY', 'unavailable']],
  [8, ['SQLITE_READONLY', 'read-only']],
  [10, ['SQLITE_IOERR', 'unavailable']],
  [11, ['SQLITE_CORRUPT', 'corrupt']],
  [13, ['SQLITE_FULL', 'disk-full']],
  [14, ['SQLITE_CANTOPEN', 'unavailable']],
  [26, ['SQLITE_NOTADB', 'corrupt']],
]);

/** Of the file system, where folders and files are made. */
const SYSTEM_CODES: ReadonlyMap<string, SpoolFault> = new Map([
  ['ENOSPC', 'disk-full'],
  ['EDQUOT', 'disk-full'],
  ['EFBIG', 'disk-full'],
  ['EROFS', 'read-only'],
]);

export function faultOf(error: unknown): SpoolFault {
  if (error instanceof NoSqliteError) return 'no-sqlite';
  const label = errorLabel(error);
  return sqliteCode(error)?.[1] ?? SYSTEM_CODES.get(label.code ?? '') ?? 'unavailable';
}

/** Someone else has the file: its process lives. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error)?.[0] === 'SQLITE_BUSY';
}

/** With SQLite's own name for what happened, where node:sqlite only says that something did. */
export function faultLabel(error: unknown): ErrorLabel {
  const label = errorLabel(error);
  const code = sqliteCode(error)?.[0] ?? label.code;
  return { name: label.name, ...(code !== undefined && { code }) };
}

function sqliteCode(error: unknown): readonly [string, SpoolFault] | undefined {
  if (!(error instanceof Error && 'errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? CODES.get(error.errcode & 0xff) : undefined;
}
