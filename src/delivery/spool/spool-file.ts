import { closeSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import type { UsageRecord } from '../../types.ts';
import type { SqliteDatabase, SqliteStatement } from '../../util/sqlite.ts';
import { closeQuietly, CorruptError, numberIn, openDatabase } from './database.ts';
import { faultOf } from './fault.ts';
import { copyLogAside, isThere, removeFileSet, setFileSetAside, syncFolder } from './file-set.ts';
import { damageOfLog } from './log-damage.ts';

export interface Row {
  readonly seq: number;
  readonly record: string;
}

/** `full`: every commit is on the disk before it returns. `normal`: it survives the end of the process, not of the power. */
export type Sync = 'normal' | 'full';

/** 'trkr'. Other databases in the folder are not touched. */
const APPLICATION_ID = 0x74726b72;
const SCHEMA_VERSION = 1;
const SCHEMA =
  'CREATE TABLE outbox (seq INTEGER PRIMARY KEY, record TEXT NOT NULL);' +
  'CREATE TABLE cursors (sink TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;' +
  `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};`;

/**
 * Of the newest records so many are kept in memory, those that are not long, so that a sink that keeps up need not read them
 * back. None while no sink is that far.
 */
const RECENT_RECORDS = 4_096;
const RECENT_LENGTH = 4_096;
/** What is read at once: rows, and at most about so many characters in all. */
const READ_ROWS = 32;
const READ_LENGTH = 8_000_000;
/** So many free pages (16 MB) and at most so many others: then a file is made small again. */
const SHRINK_PAGES = 4_096;
const SHRINK_USED_PAGES = 512;

/**
 * One file of the outbox: records in order of `seq` without gaps, and for each sink the `seq` that it gets next. Whoever
 * has it open holds an exclusive lock on it; the lock ends with the process. A row goes when every sink has it.
 *
 * Every method may throw what SQLite throws; what it was to write is then not written.
 */
export class SpoolFile {
  readonly path: string;
  readonly #database: SqliteDatabase;
  readonly #cursors: Map<string, number>;
  /** Sinks whose cursor in the file is older than that in memory. */
  readonly #unsaved = new Set<string>();
  readonly #recent = new Map<number, UsageRecord>();
  readonly #insert: SqliteStatement;
  readonly #select: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #saveCursor: SqliteStatement;
  readonly #pages: SqliteStatement;
  readonly #freePages: SqliteStatement;
  readonly #pageSize: number;
  readonly #inode: number;
  #start: number;
  #end: number;

  private constructor(path: string, database: SqliteDatabase) {
    this.path = path;
    this.#database = database;
    this.#inode = statSync(path).ino;
    this.#cursors = new Map(
      database.prepare('SELECT sink, next FROM cursors').all().filter(isCursor).map(pairOf),
    );
    this.#insert = database.prepare('INSERT INTO outbox (seq, record) VALUES (?, ?)');
    this.#select = database.prepare(
      'SELECT seq, record FROM outbox WHERE seq >= ? ORDER BY seq LIMIT ?',
    );
    this.#delete = database.prepare('DELETE FROM outbox WHERE seq < ?');
    this.#saveCursor = database.prepare('REPLACE INTO cursors (sink, next) VALUES (?, ?)');
    this.#pages = database.prepare('PRAGMA page_count');
    this.#freePages = database.prepare('PRAGMA freelist_count');
    this.#pageSize = numberIn(database.prepare('PRAGMA page_size').get(), 'page_size') ?? 4_096;
    const first = database.prepare('SELECT min(seq) AS seq FROM outbox').get();
    const last = database.prepare('SELECT max(seq) AS seq FROM outbox').get();
    this.#end = Math.max((numberIn(last, 'seq') ?? 0) + 1, ...this.#cursors.values());
    this.#start = numberIn(first, 'seq') ?? this.#end;
  }

  /** Makes a new file. Each sink gets the first record next. */
  static create(path: string, sinks: readonly string[], sync: Sync): SpoolFile {
    // Records name tenants and users.
    closeSync(openSync(path, 'wx', 0o600));
    const { ino } = statSync(path);
    const make = (database: SqliteDatabase): SpoolFile => {
      lock(database);
      database.exec(`PRAGMA journal_mode = WAL; ${tuning(sync)}; BEGIN; ${SCHEMA} COMMIT`);
      // Until it was locked, another process could take it for an empty file of a dead one and remove it.
      if (!isThere(path, ino)) throw new Error('removed');
      const file = new SpoolFile(path, database);
      file.#know(sinks);
      if (sync === 'full') syncFolder(dirname(path));
      return file;
    };
    return opened(path, make, () => removeFileSet(path));
  }

  /**
   * Opens a file that another process left. Throws `SQLITE_BUSY` when that lives. Puts it aside, and throws, when it is damaged.
   * `undefined` when it is not one of ours or was written by a newer release, and when it was empty; then it is removed. A sink
   * that the file does not know gets all that it holds. `onDamagedLog`: what comes after the damage is lost, and the log was
   * copied aside.
   */
  static adopt(
    path: string,
    sync: Sync,
    sinks: readonly string[],
    onDamagedLog: (error: unknown) => void,
  ): SpoolFile | undefined {
    const take = (database: SqliteDatabase): SpoolFile | undefined => {
      lock(database);
      // Only now does nobody else write to it, and nothing has been written to it yet.
      const damage = damageOfLog(`${path}-wal`);
      if (damage === 'header') throw new CorruptError();
      if (damage === 'frames') {
        copyLogAside(path);
        onDamagedLog(new CorruptError());
        // Else the next one would find the rest of it, and tell of it again.
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      }
      const tables = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get();
      const id = database.prepare('PRAGMA application_id').get();
      const version = database.prepare('PRAGMA user_version').get();
      if (
        numberIn(id, 'application_id') === APPLICATION_ID &&
        numberIn(version, 'user_version') === SCHEMA_VERSION
      ) {
        database.exec(tuning(sync));
        const file = new SpoolFile(path, database);
        file.#know(sinks);
        return file;
      }
      closeQuietly(database);
      if (numberIn(tables, 'tables') === 0) removeFileSet(path);
      return undefined;
    };
    return opened(path, take, (error) => {
      if (faultOf(error) === 'corrupt') setFileSetAside(path);
    });
  }

  /** The `seq` of the oldest row. */
  get start(): number {
    return this.#start;
  }

  /** The `seq` of the next row to be written. */
  get end(): number {
    return this.#end;
  }

  /** The `seq` that a sink gets next: the oldest for one that the file does not know. */
  cursor(sink: string): number {
    return Math.max(this.#start, this.#cursors.get(sink) ?? this.#start);
  }

  /** All or nothing. `texts` are the records as JSON. */
  append(records: readonly UsageRecord[], texts: readonly string[]): void {
    const from = this.#end;
    const insert = (): void => {
      for (const [index, text] of texts.entries()) this.#insert.run(from + index, text);
    };
    if (texts.length === 1) insert();
    else this.#transaction(insert);
    this.#end = from + texts.length;
    if (this.#end - Math.max(...this.#cursors.values()) > RECENT_RECORDS) this.#recent.clear();
    else this.#remember(from, records, texts);
  }

  /** A record that was written lately, without reading the file. */
  recent(seq: number): UsageRecord | undefined {
    return this.#recent.get(seq);
  }

  /** Rows from `seq` on, at most `count`, fewer when they are long or those that follow cannot be read. */
  read(seq: number, count: number): Row[] {
    const rows: Row[] = [];
    let length = 0;
    while (rows.length < count && length < READ_LENGTH) {
      const from = (rows.at(-1)?.seq ?? seq - 1) + 1;
      const more = this.#select.all(from, Math.min(READ_ROWS, count - rows.length)).filter(isRow);
      if (more.length === 0) break;
      for (const row of more) length += row.record.length;
      rows.push(...more);
    }
    return rows;
  }

  /** A sink has everything before `next`. Removes the rows that all sinks have. */
  settle(sink: string, next: number): void {
    const isNews = next > this.cursor(sink);
    if (!isNews && this.#unsaved.size === 0) return;
    this.#save(isNews ? [[sink, next]] : []);
    const free = this.#freePageCount();
    if (free > SHRINK_PAGES && this.#pageCount() - free <= SHRINK_USED_PAGES) {
      this.#database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
    }
  }

  /** Removes the rows before `seq`, whoever waits for them. */
  evict(seq: number): void {
    const behind = [...this.#cursors].filter(([, next]) => next < seq);
    this.#save(behind.map(([sink]) => [sink, seq]));
  }

  /** Somebody took it away: this process can still read it, and no other can. */
  get isGone(): boolean {
    return !isThere(this.path, this.#inode);
  }

  /** What its rows take up on the disk. The file itself may be larger: free pages are used again. */
  bytes(): number {
    return (this.#pageCount() - this.#freePageCount()) * this.#pageSize;
  }

  /** No sink waits for a row: neither one of this process nor another that the file knows. */
  get isDrained(): boolean {
    return this.#oldestWanted() >= this.#end;
  }

  /** Lets go of it; when no sink waits for anything in it, it is removed. */
  close(): void {
    this.#recent.clear();
    closeQuietly(this.#database);
    if (this.isDrained) removeFileSet(this.path);
  }

  /** Puts a damaged file out of the way, for somebody to look at. */
  setAside(): void {
    this.#recent.clear();
    setFileSetAside(this.path);
    closeQuietly(this.#database);
  }

  /** Adds a cursor for each sink that the file does not know, so that rows wait for it too. */
  #know(sinks: readonly string[]): void {
    this.#save(sinks.filter((sink) => !this.#cursors.has(sink)).map((sink) => [sink, this.#start]));
  }

  #remember(from: number, records: readonly UsageRecord[], texts: readonly string[]): void {
    for (const [index, record] of records.entries()) {
      if ((texts[index]?.length ?? 0) <= RECENT_LENGTH) this.#recent.set(from + index, record);
      this.#recent.delete(from + index - RECENT_RECORDS);
    }
  }

  #pageCount(): number {
    return numberIn(this.#pages.get(), 'page_count') ?? 0;
  }

  #freePageCount(): number {
    return numberIn(this.#freePages.get(), 'freelist_count') ?? 0;
  }

  #oldestWanted(): number {
    return Math.min(this.#end, ...this.#cursors.values());
  }

  /** In memory in any case: what cannot be saved now is saved with what comes next. */
  #save(cursors: ReadonlyArray<readonly [sink: string, next: number]>): void {
    for (const [sink, next] of cursors) {
      this.#cursors.set(sink, next);
      this.#unsaved.add(sink);
    }
    const start = this.#oldestWanted();
    this.#transaction(() => {
      for (const sink of this.#unsaved) this.#saveCursor.run(sink, this.#cursors.get(sink) ?? 0);
      if (start > this.#start) this.#delete.run(start);
    });
    this.#unsaved.clear();
    for (; this.#start < start; this.#start++) this.#recent.delete(this.#start);
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      try {
        this.#database.exec('ROLLBACK');
      } catch {
        // SQLite has already rolled back, as it does when the disk is full.
      }
      throw error;
    }
  }
}

/** Closes it when the work on it fails. */
function opened<T>(
  path: string,
  work: (database: SqliteDatabase) => T,
  onFailure: (error: unknown) => void,
): T {
  let database: SqliteDatabase | undefined;
  try {
    database = openDatabase(path);
    return work(database);
  } catch (error) {
    // Before it is closed: that would make the log part of the damaged file, or remove it.
    onFailure(error);
    if (database !== undefined) closeQuietly(database);
    throw error;
  }
}

/** For as long as it is open. Also in WAL mode, which then does without shared memory. */
function lock(database: SqliteDatabase): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
}

function tuning(sync: Sync): string {
  return `PRAGMA synchronous = ${sync}; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 8388608`;
}

function isRow(row: unknown): row is Row {
  return (
    typeof row === 'object' &&
    row !== null &&
    'seq' in row &&
    typeof row.seq === 'number' &&
    'record' in row &&
    typeof row.record === 'string'
  );
}

function isCursor(row: unknown): row is { readonly sink: string; readonly next: number } {
  return (
    typeof row === 'object' &&
    row !== null &&
    'sink' in row &&
    typeof row.sink === 'string' &&
    'next' in row &&
    typeof row.next === 'number'
  );
}

function pairOf(row: { readonly sink: string; readonly next: number }): [string, number] {
  return [row.sink, row.next];
}
