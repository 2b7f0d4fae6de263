import { LRUCache } from 'lru-cache';
import type { Bill } from '../call.ts';
import { ByteQueue, type ReadResult } from '../http/byte-queue.ts';
import type { ResponseHead } from '../http/lazy-response.ts';
import type { AnswerFacts, Clock } from '../types.ts';
import type { WholeAnswer } from './flight.ts';
import type { ResponseCacheSettings } from './settings.ts';

/** One answer as it is kept. */
export interface KeptAnswer {
  readonly head: ResponseHead;
  /** The call that asked for it, and what it paid. */
  readonly leaderId: string;
  readonly bill: Bill;
  readonly facts: AnswerFacts;
  readonly requestId: string | undefined;
  /** The whole body, and where each of its chunks ended. */
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
}

/** Whole answers by the key of their call, until they are too old or too many. It sets no timer. */
export interface ResponseCache {
  get(key: string): KeptAnswer | undefined;
  /** Keeps what is worth it: whole, without an error, and with status 200. */
  keep(key: string, whole: WholeAnswer): void;
  clear(): void;
  readonly entries: number;
  readonly bytes: number;
}

/** Head, key and bookkeeping of one entry, about, in bytes. */
const ENTRY_OVERHEAD = 4096;

export function createResponseCache(
  { maxEntries, maxBytes, ttlMs }: ResponseCacheSettings,
  clock: Clock,
): ResponseCache {
  const kept = new LRUCache<string, KeptAnswer>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: ({ bytes, ends }) => bytes.byteLength + 8 * ends.length + ENTRY_OVERHEAD,
    ttl: ttlMs,
    // lru-cache 11.5 takes a start of 0 for none, and asks the time through a timer of its own unless told not to.
    perf: { now: () => clock.now() + 1 },
    ttlResolution: 0,
  });
  return {
    get: (key) => kept.get(key),
    keep(key, { head, chunks, answer, payer }) {
      if (!isWorthKeeping(answer)) return;
      const ends: number[] = [];
      let length = 0;
      for (const chunk of chunks) ends.push((length += chunk.byteLength));
      kept.set(key, {
        head: { ...head, headers: withoutOwn(head.headers) },
        leaderId: payer.id,
        bill: answer.bill ?? { usd: undefined },
        facts: { model: answer.facts.model, complete: true },
        requestId: answer.requestId ?? answer.facts.requestId,
        bytes: Buffer.concat(chunks, length),
        ends,
      });
    },
    clear() {
      kept.clear();
    },
    get entries() {
      return kept.size;
    },
    get bytes() {
      return kept.calculatedSize;
    },
  };
}

/** Whether a request wants its answer fresh, or not kept (RFC 9111, section 5.2.1). */
export function forbidsCache(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== 'cache-control') continue;
    if (/no-store|no-cache/i.test(headers[i + 1]!)) return true;
  }
  return false;
}

function isWorthKeeping({ status, end, facts, tap }: WholeAnswer['answer']): boolean {
  if (status !== 200 || end !== 'complete' || facts.error !== undefined || tap === undefined)
    return false;
  // A background answer, or one that a provider has stored, is somebody else's.
  if (facts.usageOf !== undefined) return false;
  return tap.isStream ? facts.complete === true : !tap.isBroken;
}

/** What the router added is each call's own. */
function withoutOwn(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => !name.startsWith('x-tokenrouter-')));
}

/** Gives a body once more in the chunks in which it came. */
export class ReplayQueue extends ByteQueue {
  readonly #kept: KeptAnswer;
  #next = 0;

  constructor(kept: KeptAnswer) {
    super(NO_FLOW, Infinity);
    this.#kept = kept;
    if (kept.ends.length === 0) this.end();
  }

  override next(): Promise<ReadResult> {
    const { bytes, ends } = this.#kept;
    const to = ends[this.#next];
    if (to !== undefined) {
      this.push(bytes.subarray(ends[this.#next - 1] ?? 0, to));
      this.#next++;
      if (this.#next === ends.length) this.end();
    }
    return super.next();
  }
}

const NO_FLOW = { pause: () => {}, resume: () => {}, cancel: () => {} };
