import type { CacheResult } from './cache/index.ts';
import type { SimulatedUsage } from './reply.ts';
import type { SimulatedRefusal } from './traffic/options.ts';

/** A request that a simulated provider saw. */
export interface SimulatedCall {
  /** When it arrived, in milliseconds of the clock. */
  readonly at: number;
  /** The model that answered; for a refused request the one it named, if any. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** 0 when there was no answer. */
  readonly status: number;
  /** Why it was refused though nothing was wrong with it; absent when it was answered, or wrong. */
  readonly refusal?: SimulatedRefusal;
  /** As the answer reports it; absent when the request was refused. */
  readonly usage: SimulatedUsage | undefined;
  /** What the prompt cache made of it, the position of the hit included; absent when the request was refused. */
  readonly cache: CacheResult | undefined;
  /** The parsed body; `undefined` when it is no JSON. */
  readonly body: unknown;
}

/** Sums over the answered calls. What a provider does not report counts as nothing. */
export interface SimulatedTotals {
  calls: number;
  /** Calls that were refused; not among `calls`. */
  refused: number;
  inputTokens: {
    total: number;
    uncached: number;
    cacheRead: number;
    cacheWrite: number;
    cacheWrite1h: number;
  };
  outputTokens: { total: number };
  /** Of `refused`, the requests with nothing wrong, by what they met. With any option of traffic. */
  refusals?: Readonly<Record<SimulatedRefusal, number>>;
  /** Answers that are under way now. With any option of traffic. */
  inFlight?: number;
  /** The most answers that were under way at once. With any option of traffic. */
  peakInFlight?: number;
}

export interface CallLog {
  readonly calls: readonly SimulatedCall[];
  /** How many calls there were, kept or not. */
  readonly size: number;
  push(call: SimulatedCall): void;
  totals(): SimulatedTotals;
}

const MAX_CALLS = 10_000;

export function createCallLog(onCall: ((call: SimulatedCall) => void) | undefined): CallLog {
  const calls: SimulatedCall[] = [];
  const input = { total: 0, uncached: 0, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0 };
  let output = 0;
  let answered = 0;
  let refused = 0;

  return {
    calls,
    get size() {
      return answered + refused;
    },
    push(call) {
      calls.push(call);
      if (calls.length > MAX_CALLS) calls.shift();
      if (call.usage === undefined) refused++;
      else {
        answered++;
        const { inputTokens, outputTokens } = call.usage;
        input.total += inputTokens.total ?? 0;
        input.uncached += inputTokens.uncached ?? 0;
        input.cacheRead += inputTokens.cacheRead ?? 0;
        input.cacheWrite += inputTokens.cacheWrite ?? 0;
        input.cacheWrite1h += inputTokens.cacheWrite1h ?? 0;
        output += outputTokens.total ?? 0;
      }
      onCall?.(call);
    },
    totals: () => ({
      calls: answered,
      refused,
      inputTokens: { ...input },
      outputTokens: { total: output },
    }),
  };
}
