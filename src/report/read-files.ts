import { open, readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { RouterError } from '../errors.ts';
import type { UsageRecord } from '../types.ts';
import { errorCodeOf } from '../util/error-code.ts';
import { LatestIds } from '../util/latest.ts';
import { linesOf } from './lines.ts';
import { parseRecord, type RecordReader } from './record-source.ts';

export interface FileRecordsOptions {
  /**
   * How many other lines may stand between the first of an id and its repetition for that to be noticed. Default 500,000, which
   * takes some 100 MB at most; `Infinity` remembers every id.
   */
  remember?: number | undefined;
}

/**
 * Reads what `fileSink` wrote, oldest first: each path with its rotated files (`usage.jsonl.2`, `usage.jsonl.1`, `usage.jsonl`).
 * Of lines with the same `id` the first counts; lines that are no records are skipped and counted. A file may grow or be
 * rotated meanwhile. Rejects with what opening says when neither a path nor a rotated file of it is there.
 */
export function fileRecords(
  paths: string | readonly string[],
  options: FileRecordsOptions = {},
): RecordReader {
  const given: unknown = typeof paths === 'string' ? [paths] : paths;
  const { remember = 500_000 } = options;
  if (!isNames(given)) {
    throw new RouterError('ERR_OPTIONS', 'fileRecords: give the name of a file, or several');
  }
  // Those come with the file that they were.
  const list = given.filter(
    (path) => !given.includes(path.replace(ROTATED, '')) || !ROTATED.test(path),
  );
  if (!(remember >= 1)) {
    throw new RouterError(
      'ERR_OPTIONS',
      `fileRecords: remember must be a number from 1 up, got ${String(remember)}`,
    );
  }
  let skipped = 0;

  async function* records(): AsyncGenerator<UsageRecord> {
    skipped = 0;
    const ids = new LatestIds(remember);
    const files = await openAll(list);
    try {
      for (const file of files) {
        for await (const line of linesOf(file)) {
          if (line === '') continue;
          const record = parseRecord(line);
          if (record === undefined) skipped++;
          else if (ids.add(record.id)) yield record;
        }
      }
    } finally {
      await closeAll(files);
    }
  }

  return {
    [Symbol.asyncIterator]: records,
    // Lines stand in the order in which their calls ended: there is no place to begin or to stop at.
    between: records,
    get skipped(): number {
      return skipped;
    },
  };
}

const ROTATED = /\.[1-9]\d{0,8}$/;

function isNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((path) => typeof path === 'string' && path !== '')
  );
}

/**
 * All files before the first is read, the newest first: when files are rotated in between, one is met twice and none is
 * missed. The oldest comes out first.
 */
async function openAll(paths: readonly string[]): Promise<readonly FileHandle[]> {
  const files = new Map<string, FileHandle>();
  try {
    for (const path of paths.toReversed()) {
      let missing: unknown = await openOnce(path, files);
      for (const name of await rotated(path)) missing = (await openOnce(name, files)) && missing;
      if (missing !== undefined) throw missing;
    }
  } catch (error) {
    await closeAll(files.values());
    throw error;
  }
  return [...files.values()].toReversed();
}

/** The error when it is not there. */
async function openOnce(path: string, files: Map<string, FileHandle>): Promise<unknown> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return error;
    throw error;
  }
  const { dev, ino } = await file.stat({ bigint: true });
  const identity = `${dev}:${ino}`;
  if (files.has(identity)) await file.close();
  else files.set(identity, file);
  return undefined;
}

/** `path.1`, `path.2` … as far as they are there. */
async function rotated(path: string): Promise<readonly string[]> {
  const start = `${basename(path)}.`;
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(start) && name.replace(ROTATED, '') === basename(path))
    .toSorted((a, b) => Number(a.slice(start.length)) - Number(b.slice(start.length)))
    .map((name) => join(folder, name));
}

async function closeAll(files: Iterable<FileHandle>): Promise<void> {
  await Promise.all(Array.from(files, async (file) => file.close()));
}
