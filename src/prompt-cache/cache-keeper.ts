import type { Call } from '../call.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import type { CallContext, Clock, Cost, TokenUsage } from '../types.ts';
import { cacheOrder, createFamilyKeys } from './cache-order.ts';
import { cacheRequest, sightOf, type CacheRequest } from './cache-request.ts';
import { createCalibrations } from './calibration.ts';
import { createCacheTally, type PromptCacheSnapshot } from './cache-tally.ts';
import { createMissFinder } from './miss-finder.ts';
import { Planner, type Pending, type PlanDraft } from './planner/planner.ts';
import type { PromptCacheSettings } from './settings.ts';
import type { CacheAccount, CacheOrder, CacheOutcome, Edit } from './types.ts';
import { createWarmUps, type WarmUps } from './warm-ups.ts';

export interface CacheKeeperOptions {
  readonly settings: PromptCacheSettings;
  readonly clock: Clock;
  readonly prices: PriceBook;
}

/** A call with its plan. */
export interface PlannedCall {
  readonly request: CacheRequest;
  readonly draft: PlanDraft;
  readonly order: CacheOrder;
  /** What is to be written into the body; nothing in observe mode. */
  readonly edits: readonly Edit[];
}

/**
 * All that one router knows of its providers' prompt caches, and what the stages ask of it. It owns the planner, the calls
 * that wait for each other, the calibrations and the sums; each of them is bounded.
 */
export interface CacheKeeper {
  readonly warmUps: WarmUps;
  /** A name for what shares a cache: the account, host and model of a call. */
  readonly scopeOf: (call: Call) => string;
  request(call: Call): CacheRequest | undefined;
  /** The prefix that it pays to wait for, because another call is writing it, and since when. */
  worthWaitingFor(request: CacheRequest): Pending | undefined;
  plan(request: CacheRequest, context: CallContext): PlannedCall;
  /** What `plan` would give. Nothing is noted. */
  preview(request: CacheRequest): PlannedCall;
  answered(planned: PlannedCall): void;
  failed(planned: PlannedCall): void;
  account(planned: PlannedCall, context: CallContext, model: string | undefined): CacheAccount;
  held(ms: number): void;
  snapshot(): PromptCacheSnapshot;
}

/** Less is not worth a wait. Tokens that would be read instead of paid for. */
const LEAST_WAITED_FOR = 1024;

export function createCacheKeeper({ settings, clock, prices }: CacheKeeperOptions): CacheKeeper {
  /** What is only observed never reaches the provider, so it must not be expected of it. */
  const planners = { auto: new Planner(settings), observe: new Planner(settings) };
  const warmUps = createWarmUps(clock);
  const misses = createMissFinder();
  const tally = createCacheTally();
  const familyKeys = createFamilyKeys();
  const calibrationOf = createCalibrations();
  const scopeOf = ({ account, parsedUrl, endpoint, model }: Call): string =>
    `${account} ${parsedUrl?.origin ?? endpoint.provider} ${model ?? ''} `;
  const options = { settings, scopeOf, calibrationOf, prices };

  function planned(request: CacheRequest, dryRun: boolean): PlannedCall {
    const now = clock.now();
    // Of what is only observed nobody waits: it is reckoned as if they had.
    const sight = { ...sightOf(request, now), waits: request.mode === 'observe' };
    const draft = planners[request.mode].plan(sight, { dryRun });
    const isFree = request.host.handsOff !== true && !request.calibration.isStandingDown(now);
    const order = isFree
      ? cacheOrder(request, draft, familyKeys, dryRun ? undefined : now)
      : { marks: [] };
    if (request.mode === 'auto') {
      return { request, draft, order, edits: request.caching.edits(request.prompt, order) };
    }
    return { request, draft, order, edits: [] };
  }

  return {
    warmUps,
    scopeOf,
    request: (call) => cacheRequest(options, call),
    worthWaitingFor(request) {
      if (request.mode !== 'auto' || request.calibration.isStandingDown(clock.now()))
        return undefined;
      const pending = planners.auto.pendingOf(sightOf(request, clock.now()));
      return pending !== undefined && pending.tokens >= LEAST_WAITED_FOR ? pending : undefined;
    },
    plan: (request) => planned(request, false),
    preview: (request) => planned(request, true),
    answered({ request, draft }) {
      planners[request.mode].answered(draft, clock.now());
      warmUps.wake(draft.writes);
    },
    failed({ request, draft }) {
      planners[request.mode].failed(draft);
      warmUps.wake(draft.writes);
    },
    account(plan, context, model) {
      const { request, draft } = plan;
      const miss = misses.sent(request, draft, context, model);
      return {
        settle(usage: TokenUsage, cost: Cost): CacheOutcome {
          const { inputTokens } = usage;
          if (request.mode === 'auto') compare(plan, usage);
          request.calibration.measured(usage, request.estimated);
          tally.count(request, draft, usage);
          // Where marks decide, those of the plan were not sent.
          const isKnown =
            request.mode === 'auto' ||
            request.rules.writes !== 'marks' ||
            request.hostMarks.length > 0;
          return {
            prefix: (draft.family || (request.positions[0]?.hash ?? '')).slice(
              request.scope.length,
            ),
            marks: plan.edits.filter(({ insert }) => MARK.test(insert)).length,
            expectedRead: inputTokens.cacheRead === undefined ? undefined : draft.expectedRead,
            miss: isKnown ? miss(usage, cost) : undefined,
          };
        },
      };
    },
    held: (ms) => {
      tally.held(ms);
    },
    snapshot: () => ({
      prefixes: planners.auto.prefixes + planners.observe.prefixes,
      waiting: warmUps.waiting,
      ...tally.snapshot(),
      misses: misses.snapshot(),
    }),
  };

  /** What the provider reports against what was expected of it. */
  function compare({ request, draft }: PlannedCall, { grade, inputTokens }: TokenUsage): void {
    const { cacheRead, cacheWrite, cacheWrite1h } = inputTokens;
    if (grade !== 'exact' || cacheRead === undefined) return;
    const { readFrom, expectedRead, writes } = draft;
    if (readFrom !== undefined) {
      const isTrue = cacheRead >= expectedRead * (1 - TOLERANCE) - request.rules.minTokens / 8;
      if (!isTrue) planners.auto.forget([readFrom.hash]);
      request.calibration.compared(isTrue, clock.now());
    }
    const wrote = (cacheWrite ?? 0) + (cacheWrite1h ?? 0);
    const isTold = cacheWrite !== undefined || cacheWrite1h !== undefined;
    // Too short after all, or not for this model.
    if (isTold && wrote === 0 && cacheRead === 0) planners.auto.forget(writes);
  }
}

/** Token counts are estimates, so a read that is a little shorter is no surprise. */
const TOLERANCE = 0.15;

const MARK = /"(?:cache_control|prompt_cache_breakpoint|cachePoint)"/;
