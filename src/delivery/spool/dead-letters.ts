import { appendFileSync, createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { UsageRecord } from '../../types.ts';
import { recordJson } from '../../util/record-json.ts';
import type { ErrorLabel } from '../error-label.ts';

/** A record that a sink never took. */
export interface DeadLetter {
  /** The sink's name. */
  readonly sink: string;
  /** How the sink refused it. */
  readonly error?: ErrorLabel | undefined;
  readonly record: UsageRecord;
}

/** Of the spool's folder. A line of JSON for each dead letter; all processes append to it. */
const FILE = 'dead-letters.jsonl';

/** Keeps dead letters, up to a size. */
export class DeadLetters {
  readonly #path: string;
  readonly #maxBytes: number;
  #kept = 0;

  constructor(folder: string, maxBytes: number) {
    this.#path = join(folder, FILE);
    this.#maxBytes = maxBytes;
  }

  /** How many were kept. What could not be is only counted, as dropped. */
  get kept(): number {
    return this.#kept;
  }

  /** Never throws. */
  add(sink: string, record: UsageRecord, error: ErrorLabel | undefined): void {
    const head = JSON.stringify({ sink, error });
    try {
      const line = `${head.slice(0, -1)},"record":${recordJson(record)}}\n`;
      const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
      if (size + Buffer.byteLength(line) > this.#maxBytes) return;
      appendFileSync(this.#path, line, { mode: 0o600 });
      this.#kept++;
    } catch {
      // The disk is full, or the folder is not there.
    }
  }
}

/**
 * Reads the dead letters that the processes of a `spoolDir` have left, oldest first. One may come twice: of a process that died
 * as it gave up on a record. To try again, write them to the sink and remove the file `dead-letters.jsonl`.
 */
export async function* readDeadLetters(spoolDir: string): AsyncGenerator<DeadLetter, void> {
  const path = join(spoolDir, FILE);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  for await (const line of lines) {
    const letter = parsed(line);
    if (letter !== undefined) yield letter;
  }
}

/** A line may be torn where a disk was full. */
function parsed(line: string): DeadLetter | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isDeadLetter(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isDeadLetter(value: unknown): value is DeadLetter {
  return typeof value === 'object' && value !== null && 'sink' in value && 'record' in value;
}
