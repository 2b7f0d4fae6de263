/** A database file together with its log, as the file system sees them. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';

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

/** A copy of the log, for somebody to look at: SQLite writes over what it cannot read. The first one is the best. */
export function copyLogAside(path: string): void {
  const log = `${path}-wal`;
  try {
    if (!existsSync(`${log}.corrupt`)) copyFileSync(log, `${log}.corrupt`);
  } catch {
    // On a full disk the records that can be read come first.
  }
}

/** A file of that name is still there, and it is this one. What cannot be looked at counts as there. */
export function isThere(path: string, inode: number): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ino === inode;
  } catch {
    return true;
  }
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
