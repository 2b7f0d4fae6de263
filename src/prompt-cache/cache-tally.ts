import { usd } from '../util/usd.ts';
import type { TokenUsage } from '../types.ts';
import type { CacheRequest } from './cache-request.ts';
import type { MissReport } from './diagnosis/miss-ledger.ts';
import type { PlanDraft } from './planner/planner.ts';

/** What the prompt caches have been used for since the router was made. */
export interface PromptCacheSnapshot {
  /** Prefixes whose reuse is remembered. */
  readonly prefixes: number;
  /** Calls that wait for another one to fill the cache, now. */
  readonly waiting: number;
  /** Calls that have waited, and for how many milliseconds in all. */
  readonly held: { readonly calls: number; readonly ms: number };
  /** Input tokens of the calls that were planned, as the providers reported them. */
  readonly tokens: {
    readonly total: number;
    readonly read: number;
    readonly written: number;
    /** What was expected to be read of them. */
    readonly expectedRead: number;
  };
  /** In mode `observe`: what `auto` would have saved, in US dollars; negative where it would have cost more. */
  readonly observed: { readonly calls: number; readonly savedUsd: string };
  /** What was not read though it could have been, worst first. */
  readonly misses: MissReport;
}

export interface CacheTally {
  held(ms: number): void;
  count(request: CacheRequest, draft: PlanDraft, usage: TokenUsage): void;
  snapshot(): Pick<PromptCacheSnapshot, 'held' | 'tokens' | 'observed'>;
}

export function createCacheTally(): CacheTally {
  const held = { calls: 0, ms: 0 };
  const tokens = { total: 0, read: 0, written: 0, expectedRead: 0 };
  let observedCalls = 0;
  let savedPico = 0n;
  return {
    held(ms) {
      held.calls++;
      held.ms += ms;
    },
    count(request, draft, { inputTokens }) {
      const { total, cacheRead = 0, cacheWrite = 0, cacheWrite1h = 0 } = inputTokens;
      if (total === undefined) return;
      tokens.total += total;
      tokens.read += cacheRead;
      tokens.written += cacheWrite + cacheWrite1h;
      if (request.mode === 'auto') tokens.expectedRead += draft.expectedRead;
      else if (request.prices !== undefined) {
        observedCalls++;
        const saved = paid(request, inputTokens) - planned(request, draft, total);
        savedPico += BigInt(Math.round(saved * request.prices.inputPico));
      }
    },
    snapshot: () => ({
      held: { ...held },
      tokens: { ...tokens },
      observed: { calls: observedCalls, savedUsd: usd(savedPico) },
    }),
  };
}

/** What the request cost, in plain input tokens. */
function paid({ rules, sold }: CacheRequest, input: TokenUsage['inputTokens']): number {
  const { total = 0, cacheRead = 0, cacheWrite = 0, cacheWrite1h = 0 } = input;
  const [short] = sold;
  const long = sold.at(-1);
  return (
    total -
    cacheRead -
    cacheWrite -
    cacheWrite1h +
    cacheRead * rules.read +
    cacheWrite * (short?.write ?? 1) +
    cacheWrite1h * (long?.write ?? 1)
  );
}

/** What it would have cost as planned, in plain input tokens. */
function planned(
  { rules }: CacheRequest,
  { expectedRead, expectedWrites }: PlanDraft,
  total: number,
): number {
  let sum = total - expectedRead * (1 - rules.read);
  for (const [{ write }, tokens] of expectedWrites) sum += tokens * (write - 1);
  return sum;
}
