import type { Demand } from '../types.ts';
import { AdmissionLog } from './admission-log.ts';
import {
  isBurst,
  isStillVague,
  limitAfterCruise,
  limitAfterSearch,
  limitAfterWindowProbe,
} from './after-refusal.ts';
import { BucketDepth } from './bucket-depth.ts';
import { Cruise } from './cruise.ts';
import { firstLimit } from './first-limit.ts';
import { firstPauseMs } from './first-pause.ts';
import { clamp } from './foreign-use.ts';
import { LimitKind } from './limit-kind.ts';
import { Pace } from './pace.ts';
import { Pacer } from './pacer.ts';
import { Probe } from './probe.ts';
import { Probing } from './probing.ts';
import { type Recovery, recoveryOf } from './recovery.ts';
import { aheadOfPace, MOMENT_MS, type Refusal, slideMsAt } from './refusal-facts.ts';
import { Retreat } from './retreat.ts';
import { Rounds } from './rounds.ts';
import { Search } from './search.ts';
import { SlowStart } from './slow-start.ts';
import type { RateLearner, Sent, Surroundings } from './types.ts';
import { UsualRecovery } from './usual-recovery.ts';
import { MINUTE_MS } from './window-kind.ts';

/** The slowest that is ever sent, in requests a minute: below, nothing would be learnt any more. */
const LEAST_LIMIT = 1;
/** Requests must have waited so long before a probe, or the rate of it is not used. Longer gaps in asking count as this. */
const WANTED_MS = 3000;
const MAX_GAP_MS = 2000;
/** A window that is not full would not notice a probe. */
const FULL_SHARE = 0.93;
/** What probes of windows ask for: more would be noticed in one window as well, and lose more. */
const SLIDING_GAIN = 1.1;
const FIXED_GAIN = 1.12;
/** A probe that raised the limit by less found nothing. */
const FOUND = 1.06;
/** The first guess at the time between two requests, in milliseconds. */
const FIRST_TOKEN_MS = { least: 300, most: 2000 };
/** Of what burst a refusal may be: looks at so many requests, a little more than a burst. */
const MOST_AHEAD = 64;
/** Too many at once were refused: so much more than was admitted in the last minute is possible. */
const EXCUSED_GROWTH = 1.3;
/** The burst allowance counts as used when nearly all of it went in a quarter of its refill time. */
const BURST_SHARE = 0.25;
const ALMOST_A_REQUEST = 0.5;
/** Requests have distinct times, at least this far apart. */
const TICK_MS = 1e-3;

export function createRateLearner(surroundings: Surroundings): RateLearner {
  return new PhasedLearner(surroundings);
}

/**
 * Slow start until the first refusal. Each refusal begins a retreat, which ends with the next admission; what both say together
 * is a new belief about the limit. After the first, a search goes up from there until the next refusal. Then it cruises at the
 * limit, and probes for more from time to time.
 */
class PhasedLearner implements RateLearner {
  readonly #surroundings: Surroundings;
  readonly #log = new AdmissionLog();
  readonly #rounds = new Rounds(this.#log);
  readonly #start: SlowStart;
  readonly #pace = new Pace();
  readonly #pacer = new Pacer(this.#log, this.#pace);
  readonly #kind = new LimitKind();
  readonly #usual = new UsualRecovery();
  readonly #depth = new BucketDepth();
  readonly #probing: Probing;
  /** `undefined` in slow start: no limit is known. */
  #phase: Search | Cruise | Probe | undefined;
  /** From a refusal to the next admission. The phase waits meanwhile. */
  #retreat: { readonly gate: Retreat; readonly refusal: Refusal } | undefined;
  #startedAt: number | undefined;
  #lastSentAt: number | undefined;
  #lastRefusedAt = -Infinity;
  /** Refusals of what was sent before are part of the same news. */
  #reactedAt = -Infinity;
  #advancedAt = 0;
  /** For how long requests have waited without a pause. */
  #wantedMs = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#start = new SlowStart(surroundings);
    this.#probing = new Probing(surroundings.random);
  }

  get state(): RateLearner['state'] {
    if (this.#retreat !== undefined) return 'retreat';
    return this.#phase === undefined || this.#phase.name === 'cruise' ? 'normal' : 'recover';
  }

  get requestsPerMinute(): number | undefined {
    return this.#phase === undefined ? undefined : this.#phase.perMs * MINUTE_MS;
  }

  waitMs(demand: Demand, now: number): number {
    if (this.#retreat !== undefined) {
      this.#advancedAt = now;
      this.#phase?.pause(now);
      return this.#retreat.gate.waitMs(demand, now);
    }
    const lastSentAt = this.#lastSentAt;
    if (this.#phase === undefined || lastSentAt === undefined)
      return this.#start.waitMs(lastSentAt, now);
    this.#phase = this.#advance(this.#phase, now);
    const sent = { lastSentAt, lastRefusedAt: this.#lastRefusedAt };
    return this.#pacer.waitMs(this.#phase, demand.priority, sent, now);
  }

  sent(request: Sent, now: number): void {
    this.#startedAt ??= now;
    this.#rounds.sent(request.sentAt);
    this.#log.add(request.sentAt);
    this.#lastSentAt = request.sentAt;
    this.#retreat?.gate.sent(request);
    if (this.#phase !== undefined) this.#pace.take(this.#phase.perMs, now);
  }

  admitted(request: Sent, now: number): void {
    const { sentAt } = request;
    if (this.#retreat !== undefined) {
      if (sentAt > this.#retreat.gate.lastRefusedAt) this.#recovered(this.#retreat, sentAt, now);
      return;
    }
    if (this.#phase === undefined) {
      this.#start.admitted();
      return;
    }
    const { burst } = this.#pace;
    const from = sentAt - (BURST_SHARE * burst) / this.#phase.perMs;
    const isWhole = this.#log.count(from, sentAt) >= burst - ALMOST_A_REQUEST;
    if (sentAt > this.#lastRefusedAt && isWhole) this.#pace.proven(this.#phase.limit, now);
  }

  failed(request: Sent): void {
    this.#log.remove(request.sentAt);
  }

  excused({ sentAt }: Sent, now: number): void {
    this.#log.remove(sentAt);
    if (this.#phase === undefined) return;
    const admitted = EXCUSED_GROWTH * this.#log.count(sentAt - MINUTE_MS, sentAt);
    const limit = Math.max(this.#phase.limit, this.#probing.best, admitted);
    this.#retreat = undefined;
    this.#reactedAt = now;
    this.#phase = new Cruise(limit);
    this.#probing.excused(limit, now);
  }

  refused(request: Sent, now: number, retryAfterMs: number | undefined): void {
    const { sentAt } = request;
    this.#log.remove(sentAt);
    const startedAt = this.#startedAt;
    if (sentAt <= this.#reactedAt || startedAt === undefined) return;
    this.#reactedAt = now - TICK_MS;
    this.#lastRefusedAt = sentAt;
    if (this.#retreat !== undefined) {
      this.#retreat.gate.again(request, retryAfterMs, now);
      return;
    }
    const refusal = this.#factsOf(sentAt, retryAfterMs);
    const pauseMs = firstPauseMs({
      retryAfterMs,
      kind: this.#kind.kind,
      tokenMs: this.#tokenMs(refusal, startedAt),
      slideMs: refusal.slideMs,
      usualTokens: this.#usual.tokens,
    });
    this.#retreat = { gate: new Retreat(this.#surroundings, request, pauseMs, now), refusal };
    if (this.#phase !== undefined) this.#pace.empty(this.#phase.perMs, now);
  }

  #factsOf(at: number, retryAfterMs: number | undefined): Refusal {
    const log = this.#log;
    const phase = this.#phase;
    const mostAhead = Math.min(MOST_AHEAD, Math.ceil(this.#pace.burst) + 2);
    return {
      at,
      retryAfterMs,
      admitted: log.count((this.#rounds.since ?? at) - MOMENT_MS, at),
      minuteCount: log.count(at - MINUTE_MS, at),
      ahead: phase === undefined ? 0 : aheadOfPace(log, at, phase.rate / MINUTE_MS, mostAhead),
      slideMs: slideMsAt(log, at),
    };
  }

  /** The time between two requests at the limit; before it is known, between those that were admitted. */
  #tokenMs({ at, minuteCount }: Refusal, startedAt: number): number {
    if (this.#phase !== undefined) return MINUTE_MS / this.#phase.limit;
    const meanMs = Math.min(MINUTE_MS, at - startedAt) / Math.max(1, minuteCount);
    return clamp(meanMs, FIRST_TOKEN_MS.least, FIRST_TOKEN_MS.most);
  }

  #advance(phase: Search | Cruise | Probe, now: number): Search | Cruise | Probe {
    const gapMs = now - this.#advancedAt;
    this.#advancedAt = now;
    if (this.#surroundings.waiting === 0 || this.#surroundings.isFaulty) {
      this.#wantedMs = 0;
      phase.idle(now);
      return phase.name === 'probe' && phase.isOver(now) ? this.#giveUp(phase, now) : phase;
    }
    this.#wantedMs += Math.min(gapMs, MAX_GAP_MS);
    if (phase.name === 'cruise') return this.#stay(phase, now);
    phase.advance(now);
    return phase;
  }

  #giveUp({ limit }: Probe, now: number): Cruise {
    this.#probing.schedule(limit, now);
    return new Cruise(limit);
  }

  /** Cruises on, or begins a probe. */
  #stay(cruise: Cruise, now: number): Cruise | Probe {
    const { limit } = cruise;
    const log = this.#log;
    this.#probing.held(limit, now);
    if (!this.#probing.isDue(now) || this.#wantedMs <= WANTED_MS) return cruise;
    const leastCount = FULL_SHARE * limit - 1;
    if (this.#kind.isWindowed && log.count(now - MINUTE_MS, now) < leastCount) return cruise;
    this.#probing.begins(limit);
    const parts = {
      log,
      limit,
      gain: this.#gain(limit),
      kind: this.#kind,
      depth: this.#depth.requests,
      lastRecoveredAt: this.#rounds.lastRecoveredAt,
    };
    return new Probe(parts, now);
  }

  #gain(limit: number): number {
    if (!this.#kind.isWindowed) return this.#probing.gain(limit);
    return this.#kind.kind === 'sliding' ? SLIDING_GAIN : FIXED_GAIN;
  }

  /** The first admission after a refusal: a new belief. */
  #recovered(
    { gate, refusal }: { readonly gate: Retreat; readonly refusal: Refusal },
    admittedAt: number,
    now: number,
  ): void {
    this.#retreat = undefined;
    const isFirst = this.#phase === undefined;
    // Refused before anything was admitted: that says nothing about the limit, and slow start goes on.
    if (isFirst && this.#log.count(refusal.at - MINUTE_MS, refusal.at) === 0) return;
    const recovery = recoveryOf({
      log: this.#log,
      rounds: this.#rounds,
      refusal,
      retreat: gate,
      admittedAt,
      startedAt: this.#startedAt ?? refusal.at,
      limit: this.#phase?.limit,
    });
    if (this.#usual.hasFallen(recovery)) this.#kind.fell();
    this.#kind.saw({ ...recovery, isFirst });
    this.#usual.saw(recovery, this.#kind.kind);
    this.#phase = this.#after(recovery, now);
    this.#probing.schedule(this.#phase.limit, now);
    this.#rounds.recovered(admittedAt);
  }

  #after(recovery: Recovery, now: number): Search | Cruise {
    const phase = this.#phase;
    const { isWindowed } = this.#kind;
    if (phase === undefined) {
      this.#pace.restart(now);
      const { limit, trustedMs } = firstLimit(recovery, isWindowed);
      return trustedMs === undefined ? cruise(limit) : this.#search(limit, now + trustedMs, now);
    }
    if (phase.name === 'search') {
      this.#pace.restart(now);
      const limit = limitAfterSearch(recovery, phase, isWindowed);
      const isVague = isStillVague(recovery, phase, isWindowed);
      return isVague ? this.#search(limit, now, now) : cruise(limit);
    }
    if (isBurst(recovery, isWindowed)) {
      this.#pace.tooMany(recovery.ahead, now);
      return cruise(phase.limit);
    }
    if (phase.name === 'probe') {
      if (isWindowed) return cruise(limitAfterWindowProbe(recovery, phase));
      return cruise(this.#afterBucketProbe(recovery, phase, now));
    }
    if (!isWindowed) this.#depth.settle(Math.min(recovery.leastRate, phase.limit), now);
    return cruise(limitAfterCruise(recovery, phase.limit, isWindowed));
  }

  #afterBucketProbe({ at }: Recovery, probe: Probe, now: number): number {
    const evidence = probe.evidence(at);
    const limit = clamp(evidence.limit(this.#depth.requests), probe.base, probe.rate);
    if (limit < FOUND * probe.base) this.#probing.closer();
    else this.#rounds.forget();
    if (probe.hasHeld) this.#depth.doubt(evidence, now);
    else this.#depth.refuted(evidence, probe.base);
    return limit;
  }

  #search(limit: number, trustedUntil: number, now: number): Search {
    const parts = { log: this.#log, surroundings: this.#surroundings, trustedUntil };
    return new Search({ ...parts, limit: Math.max(LEAST_LIMIT, limit) }, now);
  }
}

function cruise(limit: number): Cruise {
  return new Cruise(Math.max(LEAST_LIMIT, limit));
}
