import type { UsageRecord } from '../../types.ts';
import type { RecordSource, Waiting } from '../record-source.ts';
import type { SpoolFile } from './spool-file.ts';

export interface SpoolCursorOptions {
  readonly file: SpoolFile;
  /** What the file calls the sink. */
  readonly sink: string;
  /** The file could not be read or written. */
  readonly onFault: (error: unknown) => void;
  /** So many records that the file should have are not in it, or are no records. */
  readonly onLost: (count: number) => void;
  readonly onSettled: () => void;
}

/** What one sink still has to get of one file. Positions are the file's `seq`. */
export class SpoolCursor implements RecordSource {
  readonly #options: SpoolCursorOptions;
  #taken: number;
  #settled: number;
  #isFileGone = false;

  constructor(options: SpoolCursorOptions) {
    this.#options = options;
    this.#taken = options.file.cursor(options.sink);
    this.#settled = this.#taken;
  }

  get end(): number {
    return this.#options.file.end;
  }

  get taken(): number {
    return this.#taken;
  }

  get settled(): number {
    return this.#settled;
  }

  get length(): number {
    return this.end - this.#taken;
  }

  take(count: number): Waiting[] {
    const taken: Waiting[] = [];
    while (taken.length < count && this.length > 0) {
      const record = this.#options.file.recent(this.#taken);
      if (record === undefined) break;
      taken.push({ record, source: this, position: this.#taken++ });
    }
    if (taken.length === 0 && this.length > 0) this.#read(count, taken);
    return taken;
  }

  settle(before: number): void {
    this.#settled = before;
    if (!this.#isFileGone) {
      try {
        this.#options.file.settle(this.#options.sink, before);
      } catch (error) {
        // What is not saved comes again after a crash, and sinks know records by their ids.
        this.#options.onFault(error);
      }
    }
    this.#options.onSettled();
  }

  /** Passes over what was to be taken before this position. Returns how many that are. */
  skip(before: number): number {
    const count = Math.max(0, before - this.#taken);
    this.#taken += count;
    return count;
  }

  /** The file is no longer there to be read or written. Returns how many records went with it. */
  leaveFile(): number {
    this.#isFileGone = true;
    return this.skip(this.end);
  }

  #read(count: number, into: Waiting[]): void {
    const { file, onFault, onLost } = this.#options;
    const from = this.#taken;
    try {
      const rows = file.read(from, Math.min(count, this.length));
      // Rows have no gaps: where there is nothing to read, nothing is there.
      this.#taken = (rows.at(-1)?.seq ?? this.end - 1) + 1;
      for (const { seq, record: text } of rows) {
        const record = parsed(text);
        if (record !== undefined) into.push({ record, source: this, position: seq });
      }
    } catch (error) {
      onFault(error);
      return;
    }
    const lost = this.#taken - from - into.length;
    if (lost > 0) onLost(lost);
  }
}

/** What was written here is a record; a file that was tampered with may hold anything. */
function parsed(text: string): UsageRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is UsageRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'schemaVersion' in value &&
    value.schemaVersion === 1 &&
    'id' in value &&
    typeof value.id === 'string'
  );
}
