import { mkdirSync } from 'node:fs';

import type { Clock, Random, UsageRecord } from '../../types.ts';
import { recordJson } from '../../util/record-json.ts';
import type { ErrorLabel } from '../error-label.ts';
import { atExit } from './exit-hook.ts';
import { faultLabel, faultOf } from './fault.ts';
import type { SpoolFault } from './fault.ts';
import { Shelf } from './shelf.ts';
import type { Held } from './shelf.ts';
import type { Durability, SpoolFaultReport, SpoolLane, SpoolSnapshot } from './types.ts';

export interface SpoolOptions {
  readonly folder: string;
  readonly durability: Exclude<Durability, 'memory'>;
  readonly maxBytes: number;
  readonly maxRecords: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly lanes: readonly SpoolLane[];
  readonly onFault?: ((report: SpoolFaultReport) => unknown) | undefined;
}

/** How long `batched` gathers, and how many records at most. */
const GATHER_MS = 5;
const GATHER_RECORDS = 256;
/** After a fault the spool is left alone for so long, and the same fault is not told again. */
const RETRY_MS = 5_000;
/** How often files of dead processes are looked for: on average, so that processes do not all look at once. */
const ADOPT_MS = 60_000;
/** How often it is looked whether the own file is still there. */
const WATCH_MS = 5_000;
/** The files' size is looked at after so many characters of JSON. */
const CHECK_LENGTH = 65_536;

/**
 * The outbox of one delivery: stores records before the lanes get them. Owns its files (shelf.ts), the buffer of `batched`
 * with its timer, the timer that looks after the own file and for files to adopt, and a job at the process's exit.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #shelf: Shelf;
  #buffer: UsageRecord[] = [];
  /** When the first record came that is gathered. */
  #gatheredFrom = 0;
  #bufferTimer: unknown;
  #watchTimer: unknown;
  #adoptAt = -Infinity;
  /** While the spool fails: when it is tried again. */
  #retryAt: number | undefined;
  /** Characters written since the files' size was looked at. */
  #unchecked = 0;
  #state: 'open' | 'exiting' | 'closed' = 'open';
  readonly #leaveExit: () => void;
  readonly #unspooled: Record<SpoolFault, number> = {
    'disk-full': 0,
    'read-only': 0,
    corrupt: 0,
    'no-sqlite': 0,
    'no-json': 0,
    unavailable: 0,
  };
  #corruptFiles = 0;
  #fault: SpoolFault = 'unavailable';
  #lastError: ErrorLabel | undefined;
  #quietUntil = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#shelf = new Shelf({
      ...options,
      sync: options.durability === 'disk' ? 'full' : 'normal',
      onFault: (error, held) => this.#onFault(error, held),
      onUnadopted: (error, corruptPath) => this.#note(error, corruptPath),
    });
    this.#leaveExit = atExit(() => this.#onExit());
    this.#watch();
    this.#writable();
  }

  /** Never throws. What cannot be spooled goes into the lanes' memory. */
  push(record: UsageRecord): void {
    const { durability, clock } = this.#options;
    if (durability !== 'batched' || this.#state !== 'open') {
      this.#store([record]);
      return;
    }
    const now = clock.now();
    if (this.#buffer.length === 0) this.#gatheredFrom = now;
    this.#buffer.push(record);
    // Timers come late in a busy program, and never in one that goes from promise to promise (calls answered in memory).
    if (this.#buffer.length >= GATHER_RECORDS || now - this.#gatheredFrom >= GATHER_MS) {
      this.flush();
    } else {
      this.#bufferTimer ??= clock.setTimeout(() => this.flush(), GATHER_MS);
    }
  }

  /** Stores what was gathered. */
  flush(): void {
    this.#options.clock.clearTimeout(this.#bufferTimer);
    this.#bufferTimer = undefined;
    if (this.#buffer.length === 0) return;
    const records = this.#buffer;
    this.#buffer = [];
    this.#store(records);
  }

  /** Lets go of all files. What sinks still wait for is left for the next process. */
  close(): void {
    this.flush();
    this.#state = 'closed';
    this.#options.clock.clearTimeout(this.#watchTimer);
    this.#leaveExit();
    this.#shelf.close();
  }

  /** How many records are gathered and not stored yet. */
  get gathered(): number {
    return this.#buffer.length;
  }

  snapshot(): Omit<SpoolSnapshot, 'deadLetters'> {
    const isFailing = this.#retryAt !== undefined;
    return {
      state: this.#state === 'closed' ? 'closed' : isFailing ? 'failing' : 'open',
      files: this.#shelf.size,
      records: this.#shelf.records,
      bytes: this.#shelf.bytes,
      adopted: this.#shelf.adopted,
      unspooled: { ...this.#unspooled },
      corruptFiles: this.#corruptFiles,
      unclaimedFiles: this.#shelf.unclaimed,
      lastError: this.#lastError,
    };
  }

  #store(records: readonly UsageRecord[]): void {
    const stored: UsageRecord[] = [];
    const texts: string[] = [];
    for (const record of records) {
      const text = textOf(record);
      if (text === undefined) {
        this.#intoMemory([record], 'no-json');
        continue;
      }
      stored.push(record);
      texts.push(text);
    }
    if (!this.#append(stored, texts)) {
      this.#intoMemory(stored, this.#fault);
      return;
    }
    const { lanes, maxBytes } = this.#options;
    for (const lane of lanes) lane.arrived();
    this.#shelf.boundRecords();
    for (const text of texts) this.#unchecked += text.length;
    if (this.#unchecked < Math.min(CHECK_LENGTH, maxBytes / 16)) return;
    this.#unchecked = 0;
    this.#shelf.boundBytes();
  }

  #intoMemory(records: readonly UsageRecord[], reason: SpoolFault): void {
    this.#unspooled[reason] += records.length;
    for (const record of records) for (const lane of this.#options.lanes) lane.push(record);
  }

  #append(records: readonly UsageRecord[], texts: readonly string[]): boolean {
    const own = this.#writable();
    if (own === undefined) return false;
    try {
      own.file.append(records, texts);
      this.#retryAt = undefined;
      return true;
    } catch (error) {
      this.#onFault(error, own);
      return false;
    }
  }

  /** The own file, made where there is none; `undefined` while the spool fails. */
  #writable(): Held | undefined {
    const { clock, folder } = this.#options;
    if (this.#retryAt !== undefined) {
      if (clock.now() < this.#retryAt) return undefined;
      this.#shelf.renew();
    }
    if (this.#shelf.own !== undefined || this.#state === 'closed') return this.#shelf.own;
    try {
      // Records name tenants and users.
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return this.#shelf.create(this.#newName());
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Sorts by age. */
  #newName(): string {
    const { clock, random } = this.#options;
    const startedAt = Math.floor(clock.wallNow()).toString(16).padStart(12, '0');
    const number = Math.floor(random() * 2 ** 32).toString(16);
    return `outbox-${startedAt}-${process.pid}-${number.padStart(8, '0')}.db`;
  }

  #watch(): void {
    const { clock, random } = this.#options;
    this.#watchTimer = clock.setTimeout(() => this.#watch(), WATCH_MS);
    const gone = this.#shelf.leaveGone();
    if (gone !== undefined) {
      this.#unspooled.unavailable += gone;
      this.#fail(new GoneError());
    }
    if (clock.now() < this.#adoptAt) return;
    this.#adoptAt = clock.now() + ADOPT_MS * (0.75 + random() / 2);
    this.#shelf.adopt();
  }

  /** A file could not be read or written. */
  #onFault(error: unknown, held: Held): void {
    if (faultOf(error) === 'corrupt') {
      this.#note(error, held.file.path);
      this.#shelf.setAside(held);
    } else if (held === this.#shelf.own) {
      this.#fail(error);
    } else {
      this.#note(error);
    }
  }

  #fail(error: unknown): void {
    this.#note(error);
    this.#retryAt = this.#fault === 'no-sqlite' ? Infinity : this.#options.clock.now() + RETRY_MS;
  }

  #note(error: unknown, corruptFile?: string): void {
    const { clock, onFault } = this.#options;
    const fault = faultOf(error);
    const isNews =
      fault !== this.#fault || corruptFile !== undefined || clock.now() >= this.#quietUntil;
    this.#fault = fault;
    this.#lastError = faultLabel(error);
    this.#quietUntil = clock.now() + RETRY_MS;
    if (corruptFile !== undefined) this.#corruptFiles++;
    if (!isNews || onFault === undefined) return;
    const report: SpoolFaultReport = { fault, file: corruptFile, error: this.#lastError };
    void tell(onFault, report);
  }

  /** The process ends now. Whatever is pushed from here on is stored at once. */
  #onExit(): void {
    this.flush();
    this.#state = 'exiting';
    this.#shelf.close();
  }
}

class GoneError extends Error {
  /** As the system says it. */
  readonly code = 'ENOENT';

  constructor() {
    super('the file of the spool was taken away');
  }
}

/** A record of the router always has one; a host may push what has none. */
function textOf(record: UsageRecord): string | undefined {
  try {
    return recordJson(record);
  } catch {
    return undefined;
  }
}

/** Not from within `push`. A listener that throws or rejects is no one's trouble. */
async function tell(
  listener: (report: SpoolFaultReport) => unknown,
  report: SpoolFaultReport,
): Promise<void> {
  await Promise.resolve();
  try {
    await listener(report);
  } catch {
    // See above.
  }
}
