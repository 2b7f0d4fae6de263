import type { Call } from '../call.ts';
import type { Next } from '../stage.ts';
import type { Clock } from '../types.ts';
import { isEligible } from './eligible.ts';
import { Flight, type FlightOwner } from './flight.ts';
import { FlightIndex } from './flight-index.ts';
import { createQuestions, type Question } from './key.ts';
import { Member } from './member.ts';
import {
  createResponseCache,
  forbidsCache,
  ReplayQueue,
  type KeptAnswer,
} from './response-cache.ts';
import { type DedupeMode, type ResponseCacheSettings } from './settings.ts';

export interface DedupeConfig {
  readonly clock: Clock;
  readonly mode: DedupeMode;
  /** Default: none. */
  readonly responseCache?: ResponseCacheSettings | undefined;
  /**
   * How much of an answer is kept for calls that may still join, and how far a slow reader may fall behind, in bytes of
   * memory. Default: 16 MiB.
   */
  readonly maxBufferBytes?: number | undefined;
}

/** Identical calls and their answers. */
export interface Dedupe {
  /** The answer to a call that may share one; `undefined` for all others, which cost next to nothing here. */
  answer(call: Call, next: Next): Promise<Response> | undefined;
  snapshot(): DedupeSnapshot;
  /** Forgets all answers that were kept. */
  clear(): void;
}

export interface DedupeSnapshot {
  /** Requests that may still be joined, and the calls that wait for them. */
  readonly inFlight: { readonly requests: number; readonly calls: number };
  /** Calls since the router was made that got an answer without a request of their own. */
  readonly joined: number;
  readonly fromCache: number;
  readonly cache: { readonly entries: number; readonly bytes: number };
}

const MAX_BUFFER_BYTES = 16 * 1024 * 1024;

export function createDedupe({
  clock,
  mode,
  responseCache,
  maxBufferBytes = MAX_BUFFER_BYTES,
}: DedupeConfig): Dedupe {
  const flights = new FlightIndex();
  const cache = responseCache && createResponseCache(responseCache, clock);
  const questionOf = createQuestions();
  let joined = 0;
  let fromCache = 0;

  const owner: FlightOwner = {
    clock,
    maxBufferBytes,
    keepsAnswers: cache !== undefined,
    onClosed(flight) {
      flights.delete(flight);
    },
    onStartOver({ question }, [first, ...others]) {
      if (first !== undefined) depart(question, first, others);
    },
    onWhole({ question }, whole) {
      if (cache !== undefined && !forbidsCache(whole.payer.headers)) {
        cache.keep(question.key, whole);
      }
    },
  };

  function share(question: Question, call: Call, next: Next): Promise<Response> | undefined {
    const member = new Member(call, next, clock.now());
    const response = member.response();
    try {
      const flight = flights.find(question);
      if (flight === undefined) depart(question, member, []);
      else {
        flight.join(member);
        joined++;
      }
      return response;
    } catch {
      member.unwatch();
      member.forget();
      return undefined;
    }
  }

  /** Sends a request for these members. */
  function depart(question: Question, first: Member, others: readonly Member[]): void {
    const flight = new Flight(question, first, owner);
    flights.add(flight);
    for (const member of others) flight.join(member);
    void flight.start(first);
  }

  /** A fault in here costs the company, never the call. */
  function ask(call: Call): Question | undefined {
    try {
      return isEligible(call, mode) ? questionOf(call) : undefined;
    } catch {
      return undefined;
    }
  }

  function again(call: Call, next: Next, kept: KeptAnswer): Promise<Response> {
    const member = new Member(call, next, clock.now());
    const response = member.response();
    member.replay(kept, new ReplayQueue(kept), clock.now());
    fromCache++;
    return response;
  }

  return {
    answer(call, next) {
      const question = ask(call);
      if (question === undefined || call.signal?.aborted === true || call.cutBy !== undefined) {
        return undefined;
      }
      const kept =
        cache === undefined || forbidsCache(call.headers) ? undefined : cache.get(question.key);
      return kept === undefined ? share(question, call, next) : again(call, next, kept);
    },
    snapshot() {
      let requests = 0;
      let calls = 0;
      for (const { size } of flights) {
        requests++;
        calls += size;
      }
      return {
        inFlight: { requests, calls },
        joined,
        fromCache,
        cache: { entries: cache?.entries ?? 0, bytes: cache?.bytes ?? 0 },
      };
    },
    clear() {
      cache?.clear();
    },
  };
}
