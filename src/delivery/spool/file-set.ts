/** A database file together with its log, as the file system sees them. */
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';

const SUFFIXES = ['', '-wal', '-shm'] as const;

/** What cannot be removed is found again by the next process, and is still empty. */
export function removeFileSet(path: string): void {
  for (const suffix of SUFFIXES) {
    try {
      rmSync(path + suffix, { force: true });
    } catch {
      // See above.
    }
  }
}

/** Puts damaged files out of the way, for somebody to look at. What cannot be renamed is found damaged again. */
export function setFileSetAside(path: string): void {
  for (const suffix of SUFFIXES) {
    try {
      renameSync(path + suffix, `${path}.corrupt${suffix}`);
    } catch {
      // Most have not all three.
    }
  }
}

/** SQLite takes a log whose first bytes are damaged for an empty one, in silence. */
export function hasDamagedLog(path: string): boolean {
  const log = `${path}-wal`;
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) === 0) return false;
  const magic = Buffer.alloc(4);
  const descriptor = openSync(log, 'r');
  readSync(descriptor, magic);
  closeSync(descriptor);
  // The last bit is the byte order of the checksums (sqlite.org/fileformat2.html, section 4.1, 2026-11-21).
  return magic.readUInt32BE() >>> 1 !== 0x377f0682 >>> 1;
}

/** So that a new file is still there when the power comes back. Not every system lets one do it. */
export function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {
    // See above.
  }
}
