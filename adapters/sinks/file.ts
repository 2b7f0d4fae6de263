import { mkdir, open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { RouterError } from '../../src/errors.ts';
import type { Sink, UsageRecord } from '../../src/types.ts';
import { checkOptionNames } from '../../src/util/option-names.ts';
import { recordJson } from '../../src/util/record-json.ts';

export interface FileSinkOptions {
  /** Where the lines go. Missing folders are made. */
  path: string;
  /**
   * When a file would grow past this many bytes it becomes `path.1`, `path.1` becomes `path.2` and so on. A single
   * longer line still goes into a file of its own. Default: one file, never rotated.
   */
  maxBytes?: number | undefined;
  /** How many rotated files are kept beside `path`; the oldest is removed. Default 5. Only used with `maxBytes`. */
  maxFiles?: number | undefined;
  /** Permissions of new files. Default `0o600`: records name tenants and users. */
  mode?: number | undefined;
}

/**
 * Appends each record as one line of JSON (JSONL, UTF-8) and never changes what is already written.
 *
 * A line may come twice: when a process dies after writing a batch and before anyone learned of it. **Readers keep the
 * first line of each `id`.** A process that dies, or a disk that fills, in the middle of a line leaves a torn one; the next
 * line still starts on its own, so readers skip lines that are not JSON. A batch that failed part of the way is
 * continued behind its last whole line when it is written again.
 *
 * The file is opened at the first write, so that a folder or disk that is not there yet only delays records. Several
 * processes may append to one `path`, but not when `maxBytes` is set: each needs a path of its own then.
 * `write` hands lines to the operating system; `flush` waits until they are on the disk.
 */
export function fileSink(options: FileSinkOptions): Sink {
  const { path, maxBytes = Infinity, maxFiles = 5, mode = 0o600 } = checked(options);
  let handle: FileHandle | undefined;
  let size = 0;
  /** The file ends in the middle of a line. */
  let torn = false;
  let closed = false;
  /** Whole lines of batches that failed later on. */
  const landed = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();

  /** One operation at a time: a rotation must not close the file under a flush. */
  function inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = last.then(operation);
    last = result.catch(() => undefined);
    return result;
  }

  async function opened(): Promise<FileHandle> {
    if (handle !== undefined) return handle;
    await mkdir(dirname(path), { recursive: true });
    // Reading too: the last byte tells whether the last line is whole.
    const file = await open(path, 'a+', mode);
    try {
      size = (await file.stat()).size;
      torn = size > 0 && !(await endsLine(file, size));
    } catch (error) {
      await file.close();
      throw error;
    }
    handle = file;
    return file;
  }

  async function closeHandle(): Promise<void> {
    const file = handle;
    handle = undefined;
    await file?.close();
  }

  async function rotate(): Promise<void> {
    await closeHandle();
    // The first of these replaces the oldest file.
    for (let n = maxFiles - 1; n >= 0; n--) {
      await renameIfThere(n === 0 ? path : `${path}.${n}`, `${path}.${n + 1}`);
    }
    await opened();
  }

  /** Appends whole lines; when that fails half-way, remembers which of them are in the file. */
  async function append(lines: readonly Line[]): Promise<void> {
    const file = await opened();
    const start = torn ? [NEWLINE] : [];
    const bytes = Buffer.concat([...start, ...lines.map((line) => line.bytes)]);
    let written = 0;
    try {
      while (written < bytes.length) {
        written += (await file.write(bytes, written)).bytesWritten;
      }
    } catch (error) {
      let end = start.length;
      for (const line of lines) {
        end += line.bytes.length;
        if (end <= written) landed.add(line.id);
      }
      // Opening it again finds out how the file ends now.
      await closeHandle().catch(() => undefined);
      throw error;
    }
    torn = false;
    size += bytes.length;
  }

  async function write(records: readonly UsageRecord[]): Promise<void> {
    if (closed) throw new Error('fileSink: write after close; make a new sink');
    if (records.length === 0) return;
    await opened();
    let lines: Line[] = [];
    let bytes = 0;
    for (const record of records) {
      if (landed.has(record.id)) continue;
      const line = { id: record.id, bytes: Buffer.from(`${toLine(record)}\n`) };
      if (size + bytes + line.bytes.length > maxBytes) {
        if (lines.length > 0) await append(lines);
        if (size > 0) await rotate();
        lines = [];
        bytes = 0;
      }
      lines.push(line);
      bytes += line.bytes.length;
    }
    if (lines.length > 0) await append(lines);
    landed.clear();
  }

  return {
    name: 'file',
    write: (records) => inTurn(() => write(records)),
    flush: () => inTurn(async () => handle?.datasync()),
    close: () =>
      inTurn(async () => {
        closed = true;
        await closeHandle();
      }),
  };
}

interface Line {
  readonly id: string;
  readonly bytes: Buffer;
}

const NEWLINE: Buffer = Buffer.from('\n');

const OPTIONS: Readonly<Record<keyof FileSinkOptions, true>> = {
  path: true,
  maxBytes: true,
  maxFiles: true,
  mode: true,
};

function checked(options: FileSinkOptions): FileSinkOptions {
  checkOptionNames('fileSink', options, OPTIONS);
  const { path, maxBytes = 1, maxFiles = 1 } = options;
  if (typeof path !== 'string' || path === '') {
    throw new RouterError('ERR_OPTIONS', 'fileSink: path must be the name of a file');
  }
  for (const [option, value] of Object.entries({ maxBytes, maxFiles })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RouterError(
        'ERR_OPTIONS',
        `fileSink: ${option} must be a whole number from 1 up, got ${String(value)}`,
      );
    }
  }
  return options;
}

/** What some readers take for the end of a line (NEL, LS, PS) and JSON does not escape by itself. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

function toLine(record: UsageRecord): string {
  return recordJson(record).replace(
    LINE_ENDS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

async function endsLine(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === NEWLINE[0];
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
