import type { Clock, Random } from '../../../types.ts';
import type { Unreachable } from '../unreachable.ts';
import { createAccountLimits } from './account-limits.ts';
import { charge, punish, shortages } from './admission.ts';
import type { Demand, OpenCharge } from './admission.ts';
import { trafficOptionNames } from './check-options.ts';
import { createDisturbances } from './disturbances.ts';
import type { Timing } from './latency.ts';
import { limitRules } from './limit-rules.ts';
import type { Provider } from './limit-rules.ts';
import { createNeighbours } from './neighbours.ts';
import type { SimulatedRefusal, TrafficOptions } from './options.ts';
import { headerFamily, rateHeaders } from './rate-headers.ts';
import { refusalBody } from './refusal-body.ts';
import type { RefusalFacts } from './refusal-body.ts';
import { afterSeconds, retryAdvice } from './retry-after.ts';
import { createServer } from './server.ts';
import type { Job } from './server.ts';

/** Who asks, as far as limits tell requests apart. */
export interface Account {
  readonly scope: string;
  readonly model: string;
}

/** A request that is not answered. */
export type TurnedAway =
  | {
      readonly kind: 'refused';
      readonly reason: SimulatedRefusal;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: unknown;
    }
  /** No answer at all: it fails, or nothing comes. */
  | { readonly kind: 'lost'; readonly reason: 'outage'; readonly how: Unreachable };

/** A request that fits. It counts from `enter` on. */
export interface Admission {
  readonly kind: 'admitted';
  enter(cacheReadTokens: number, answer: AnswerWork): Entry;
}

export interface AnswerWork {
  readonly timing: Timing;
  readonly isStream: boolean;
  readonly outputTokens: number;
}

export interface Entry {
  /** What the answer's head tells of the limits. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serve: Serve;
}

/** Begins the answer. `onShare` hears how much of it is there: 0 is the head, 1 all of it. `onEnd` comes once, then or earlier. */
export type Serve = (onShare: (share: number) => void, onEnd: () => void) => Job;

/** Sums over all that came. */
export interface TrafficTotals {
  readonly refusals: Readonly<Record<SimulatedRefusal, number>>;
  readonly inFlight: number;
  readonly peakInFlight: number;
}

/** What stands between a request and its answer. */
export interface Traffic {
  /** Whether the provider is in a state to look at a request at all. */
  arrive(requestId: string, model: string | undefined): TurnedAway | undefined;
  admit(account: Account, demand: Demand, requestId: string): TurnedAway | Admission;
  totals(): TrafficTotals;
}

export interface TrafficEnvironment {
  readonly provider: Provider;
  readonly clock: Clock | undefined;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: Random;
}

/** An answer's body comes in so many parts after its head: a handful of timers, however many tokens it has. */
const PARTS = 4;

/** `undefined` when none of the options is given. */
export function createTraffic(
  options: TrafficOptions,
  environment: TrafficEnvironment,
): Traffic | undefined {
  const isWanted = trafficOptionNames.some((name) => Reflect.get(options, name) !== undefined);
  if (!isWanted) return undefined;

  const { provider, clock, now, wallNow, random } = environment;
  const { load, maxConcurrent = Infinity } = options;
  const disturbanceAt = createDisturbances(options, provider, random);
  const neighbours = options.neighbours && createNeighbours(options.neighbours, random);
  const rules = (options.limits ?? []).map((limit) => limitRules(limit, provider));
  const limits = createAccountLimits(rules, neighbours, now());
  const family = headerFamily(options.headers, provider);
  const server = createServer(clock, load);
  const inFlight = createCounts();
  const refusals = { rate: 0, concurrency: 0, overload: 0, outage: 0 };

  function refuse(facts: RefusalFacts, headers: Readonly<Record<string, string>>): TurnedAway {
    const { reason, status } = facts;
    refusals[reason]++;
    return { kind: 'refused', reason, status, headers, body: refusalBody(provider, facts) };
  }

  function arrive(requestId: string, model = 'unknown'): TurnedAway | undefined {
    const met = disturbanceAt(now());
    if (met === undefined) return undefined;
    const { reason } = met;
    if (met.kind === 'lost') {
      refusals[reason]++;
      return met;
    }
    const headers = met.retryAfter === undefined ? {} : afterSeconds(met.retryAfter);
    return refuse({ reason, status: met.status, model, requestId }, headers);
  }

  function admit(account: Account, demand: Demand, requestId: string): TurnedAway | Admission {
    const at = now();
    server.settle();
    const key = `${account.scope}\n${account.model}`;
    const meters = limits.metersOf(account.scope, account.model);
    const about = { requestId, model: account.model, status: 429 };
    const isFull = server.inFlight >= (load?.hard ?? Infinity) || inFlight.of(key) >= maxConcurrent;
    if (isFull || shortages(meters, demand, at).length > 0) {
      punish(meters, demand, at);
      if (isFull) return refuse({ ...about, reason: 'concurrency' }, {});
      // What refused requests use up is counted when a client is told how long to wait.
      const shortage = shortages(meters, demand, at).reduce((a, b) =>
        b.waitMs > a.waitMs ? b : a,
      );
      const wallAt = wallNow();
      const advice = retryAdvice(options.retryAfter, provider, shortage.waitMs, wallAt);
      const headers = { ...rateHeaders(family, meters, at, wallAt), ...advice.headers };
      const { bodyMs: retryMs } = advice;
      return refuse({ ...about, reason: 'rate', shortage, retryMs }, headers);
    }
    return {
      kind: 'admitted',
      enter(cacheReadTokens, answer) {
        const open = charge(meters, demand, cacheReadTokens, at);
        const headers = rateHeaders(family, meters, at, wallNow());
        return { headers, serve: (...hear) => serve(key, open, answer, ...hear) };
      },
    };
  }

  function serve(
    key: string,
    open: OpenCharge,
    { timing: { headMs, durationMs }, isStream, outputTokens }: AnswerWork,
    ...[onShare, onEnd]: Parameters<Serve>
  ): Job {
    const isInParts = isStream || open.isMetered;
    const partMs = (durationMs - headMs) / PARTS;
    const parts = Array.from({ length: PARTS - 1 }, (_, part) => headMs + (part + 1) * partMs);
    inFlight.add(key, 1);
    return server.start({
      milestones: isInParts ? [headMs, ...parts, durationMs] : [durationMs],
      onMilestone(index) {
        if (isInParts && index > 0) open.write(outputTokens / PARTS, now());
        onShare(isInParts ? index / PARTS : 1);
      },
      onEnd() {
        inFlight.add(key, -1);
        open.end(now());
        onEnd();
      },
    });
  }

  return {
    arrive,
    admit,
    totals: () => ({
      refusals: { ...refusals },
      inFlight: server.inFlight,
      peakInFlight: server.peakInFlight,
    }),
  };
}

interface Counts {
  of(key: string): number;
  add(key: string, count: number): void;
}

/** Counts that are forgotten when they are 0 again. */
function createCounts(): Counts {
  const counts = new Map<string, number>();
  const of = (key: string): number => counts.get(key) ?? 0;
  return {
    of,
    add(key, count) {
      const sum = of(key) + count;
      if (sum === 0) counts.delete(key);
      else counts.set(key, sum);
    },
  };
}
