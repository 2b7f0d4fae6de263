import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { faultOf, isBusy } from './fault.ts';
import { SpoolCursor } from './spool-cursor.ts';
import { SpoolFile } from './spool-file.ts';
import type { Sync } from './spool-file.ts';
import type { SpoolLane } from './types.ts';

export interface ShelfOptions {
  readonly folder: string;
  readonly sync: Sync;
  readonly maxBytes: number;
  readonly maxRecords: number;
  readonly lanes: readonly SpoolLane[];
  /** A file could not be read or written. */
  readonly onFault: (error: unknown, held: Held) => void;
  /** A file could not be adopted, or not all of it. `corruptPath`: what was put aside. */
  readonly onUnadopted: (error: unknown, corruptPath: string | undefined) => void;
}

/** A file with a cursor for each lane, in their order. */
export interface Held {
  readonly file: SpoolFile;
  readonly cursors: readonly SpoolCursor[];
}

/** Other processes' files that are held at once. */
const MAX_ADOPTED = 16;

const FILE_NAME = /^outbox-[0-9a-f]{12}-\d+-[0-9a-f]{8}\.db$/;

/** The files of the outbox that one delivery has open, oldest first: its own, and those of processes that died. */
export class Shelf {
  readonly #options: ShelfOptions;
  #files: Held[] = [];
  /** The one that is written to. */
  #own: Held | undefined;
  #adopted = 0;
  /** Files of others that are still there although nothing in them is wanted here. */
  readonly #unclaimed = new Set<string>();
  /** There are more files than may be held. */
  #hasMore = false;

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  get own(): Held | undefined {
    return this.#own;
  }

  get size(): number {
    return this.#files.length;
  }

  /** How many records processes that died had left. */
  get adopted(): number {
    return this.#adopted;
  }

  /** How many files are kept for sinks that this delivery does not have, or for a newer release. */
  get unclaimed(): number {
    return this.#unclaimed.size;
  }

  get records(): number {
    return this.#files.reduce((sum, { file }) => sum + file.end - file.start, 0);
  }

  get bytes(): number {
    return this.#files.reduce((sum, { file }) => sum + file.bytes(), 0);
  }

  /** Makes the own file. */
  create(name: string): Held {
    const { folder, lanes, sync } = this.#options;
    const keys = lanes.map(({ key }) => key);
    this.#own = this.#hold(SpoolFile.create(join(folder, name), keys, sync), 'last');
    return this.#own;
  }

  /** Gives up an own file that failed, when nothing is left in it: on a full disk it may be what takes up the room. */
  renew(): void {
    const own = this.#own;
    if (own === undefined || !own.file.isDrained) return;
    this.#own = undefined;
    this.#releaseIfDone(own);
  }

  /**
   * Gives up an own file that somebody took away; it is still read to the end. Returns how many records are in it, which no
   * other process will ever find; `undefined` when it is there.
   */
  leaveGone(): number | undefined {
    const own = this.#own;
    if (own === undefined || !own.file.isGone) return undefined;
    this.#own = undefined;
    this.#releaseIfDone(own);
    return own.file.end - own.file.start;
  }

  /** Takes over what processes that died have left. */
  adopt(): void {
    for (const path of this.#unclaimed) if (!existsSync(path)) this.#unclaimed.delete(path);
    const known = new Set([...this.#files.map(({ file }) => file.path), ...this.#unclaimed]);
    const found = listed(this.#options.folder).filter((path) => !known.has(path));
    // The newest first, so that the oldest comes to stand in front.
    for (const path of found.reverse()) {
      this.#hasMore = this.#files.length > MAX_ADOPTED;
      if (this.#hasMore) return;
      this.#adoptFile(path);
    }
  }

  /** Drops the oldest records where there are too many. */
  boundRecords(): void {
    const tooMany = this.records - this.#options.maxRecords;
    if (tooMany > 0) this.#dropOldest(tooMany);
  }

  /** Drops the oldest records where they take up too much: a little more than that, so that it is not done every time. */
  boundBytes(): void {
    const { bytes } = this;
    const { maxBytes } = this.#options;
    if (bytes <= maxBytes) return;
    this.#dropOldest(Math.ceil(((bytes - maxBytes + maxBytes / 1_024) / bytes) * this.records));
  }

  /** A damaged file is put out of the way. What sinks still had to get of it is lost. */
  setAside(held: Held): void {
    if (!this.#files.includes(held)) return;
    this.#files = this.#files.filter((other) => other !== held);
    if (held === this.#own) this.#own = undefined;
    held.file.setAside();
    for (const [index, lane] of this.#options.lanes.entries()) {
      lane.lost('spool-corrupt', held.cursors[index]?.leaveFile() ?? 0);
    }
  }

  /** Lets go of all files. Those that some sink still waits for stay for the next process; what is in one that is gone is lost. */
  close(): void {
    const files = this.#files;
    this.#files = [];
    this.#own = undefined;
    for (const { file, cursors } of files) {
      if (file.isGone) {
        for (const [index, lane] of this.#options.lanes.entries()) {
          lane.lost('closed', cursors[index]?.leaveFile() ?? 0);
        }
      }
      file.close();
    }
  }

  #hold(file: SpoolFile, place: 'first' | 'last'): Held {
    const cursors = this.#options.lanes.map((lane) => {
      const cursor = new SpoolCursor({
        file,
        sink: lane.key,
        onFault: (error) => this.#options.onFault(error, held),
        onLost: (count) => lane.lost('spool-corrupt', count),
        onSettled: () => this.#releaseIfDone(held),
      });
      lane.addSource(cursor, place);
      return cursor;
    });
    const held: Held = { file, cursors };
    if (place === 'first') this.#files.unshift(held);
    else this.#files.push(held);
    return held;
  }

  #adoptFile(path: string): void {
    const { lanes, sync, onUnadopted } = this.#options;
    try {
      const file = SpoolFile.adopt(
        path,
        sync,
        lanes.map(({ key }) => key),
        (error) => onUnadopted(error, `${path}-wal`),
      );
      if (file === undefined) {
        if (existsSync(path)) this.#unclaimed.add(path);
        return;
      }
      this.#adopted += file.end - file.start;
      const held = this.#hold(file, 'first');
      for (const lane of lanes) lane.arrived();
      this.#releaseIfDone(held);
    } catch (error) {
      if (!isBusy(error)) onUnadopted(error, faultOf(error) === 'corrupt' ? path : undefined);
    }
  }

  /** Another process's file goes when every lane is through with it. */
  #releaseIfDone(held: Held): void {
    if (held === this.#own || held.cursors.some(({ settled, end }) => settled < end)) return;
    for (const [index, lane] of this.#options.lanes.entries()) {
      const cursor = held.cursors[index];
      if (cursor !== undefined) lane.removeSource(cursor);
    }
    // Unless it was put aside.
    if (!this.#files.includes(held)) return;
    this.#files = this.#files.filter((other) => other !== held);
    held.file.close();
    if (existsSync(held.file.path)) this.#unclaimed.add(held.file.path);
    if (this.#hasMore && this.#files.length <= 1) this.adopt();
  }

  #dropOldest(count: number): void {
    let left = count;
    for (const held of this.#files) {
      const { file, cursors } = held;
      const before = Math.min(file.end, file.start + left);
      left -= before - file.start;
      try {
        file.evict(before);
      } catch (error) {
        this.#options.onFault(error, held);
      }
      for (const [index, lane] of this.#options.lanes.entries()) {
        lane.lost('spool-full', cursors[index]?.skip(before) ?? 0);
      }
      if (left === 0) return;
    }
  }
}

/** Of the folder, oldest first. */
function listed(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => FILE_NAME.test(name));
    return names.toSorted().map((name) => join(folder, name));
  } catch {
    // It is not there yet, or cannot be read; who makes the own file says so.
    return [];
  }
}
