/** Looks for damage in SQLite's write-ahead log (sqlite.org/fileformat2.html, section 4, 2026-11-21). */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** `header`: SQLite takes the log for an empty one, in silence. `frames`: it stops in the middle, in silence. */
export type LogDamage = 'header' | 'frames';

type Checksum = readonly [number, number];

const HEADER_LENGTH = 32;
const FRAME_HEADER_LENGTH = 24;
/** The last bit is the byte order of the checksums. */
const MAGIC = 0x377f0682;
const MAX_PAGE_SIZE = 65_536;

/**
 * `undefined` when there is no log, and when only its end is torn, as after a kill. A frame that is damaged is told from a torn
 * one by a later commit of the same generation (the header's salts). Frames without one may be left from a transaction that
 * was rolled back.
 */
export function damageOfLog(path: string): LogDamage | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    return size === 0 ? undefined : damageOf(descriptor, size);
  } finally {
    closeSync(descriptor);
  }
}

function damageOf(descriptor: number, size: number): LogDamage | undefined {
  const header = Buffer.alloc(HEADER_LENGTH);
  readSync(descriptor, header, 0, HEADER_LENGTH, 0);
  const magic = header.readUInt32BE();
  if (magic >>> 1 !== MAGIC >>> 1) return 'header';
  if (size < HEADER_LENGTH) return undefined;
  const isBigEndian = (magic & 1) === 1;
  let sum = checksum([0, 0], header.subarray(0, 24), isBigEndian);
  const pageSize = header.readUInt32BE(8);
  const isPageSize = pageSize >= 8 && pageSize <= MAX_PAGE_SIZE && pageSize % 8 === 0;
  if (!isPageSize || !holds(sum, header, 24)) return 'header';

  const frame = Buffer.alloc(FRAME_HEADER_LENGTH + pageSize);
  let isBroken = false;
  for (let at = HEADER_LENGTH; at + frame.length <= size; at += frame.length) {
    readSync(descriptor, frame, 0, frame.length, at);
    const isCurrent = frame.compare(header, 16, 24, 8, 16) === 0;
    if (isBroken) {
      if (isCurrent && frame.readUInt32BE(4) > 0) return 'frames';
      continue;
    }
    sum = checksum(sum, frame.subarray(0, 8), isBigEndian);
    sum = checksum(sum, frame.subarray(FRAME_HEADER_LENGTH), isBigEndian);
    isBroken = !isCurrent || !holds(sum, frame, 16);
  }
  return undefined;
}

/** Goes on from `from`. */
function checksum(from: Checksum, bytes: Buffer, isBigEndian: boolean): Checksum {
  let [first, second] = from;
  for (let at = 0; at < bytes.length; at += 8) {
    const word = isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    const next = isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4);
    first = (first + word + second) >>> 0;
    second = (second + next + first) >>> 0;
  }
  return [first, second];
}

function holds([first, second]: Checksum, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;
}
