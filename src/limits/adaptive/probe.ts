import type { AdmissionLog } from './admission-log.ts';
import { cruisePerMs } from './cruise.ts';
import type { LimitKind } from './limit-kind.ts';
import type { Phase } from './phase.ts';
import { Stage } from './stage.ts';
import { MINUTE_MS } from './window-kind.ts';

/** A stage lasts at least so long, and so many requests. */
const MIN_STAGE_MS = 12_000;
const MIN_STAGE_TOKENS = 6;
/** A rate counts as held when this share of it was used. */
const USED_SHARE = 0.9;
/** A bucket shows that it is too much only when its savings are spent: so many above the limit must have been admitted. */
const MIN_EXCESS = 2;
/** Steps this small are within what a bucket may have saved up: then half as much again as that. */
const SMALL_GAIN = 1 / 12;
const EXCESS_PER_DEPTH = 1.5;
/** No savings last longer than two minutes of refill. */
const MAX_STAGE_MS = 126_000;
/** A fixed window shows it only when it is full. Its length is at most a minute, and at least the longest recovery. */
const MAX_WINDOW_MS = 60_000;
const WINDOW_PER_RECOVERY = 1.5;
/** In windows: the first stage spans two, as it begins within one; one is enough after a long calm; and any later stage. */
const FIRST_STAGE_WINDOWS = 2.1;
const CALM_STAGE_WINDOWS = 1.17;
const NEXT_STAGE_WINDOWS = 1.05;
const CALM_MS = 150_000;
/** A probe that is not used is given up after so long. */
const MAX_PROBE_MS = 400_000;
/** What was admitted in less than that shows no rate. */
const MIN_SPAN_MS = 500;

export interface ProbeParts {
  readonly log: AdmissionLog;
  /** Believed in until now, in requests a minute. */
  readonly limit: number;
  /** What to multiply it by at first. */
  readonly gain: number;
  readonly kind: LimitKind;
  /** Requests that a bucket may have saved up. */
  readonly depth: number;
  readonly lastRecoveredAt: number | undefined;
}

/** What was sent in a probe up to its refusal, counted from the beginning of each stage. */
export interface ProbeEvidence {
  /** The limit that the stages show in requests a minute, if a bucket had saved up `depth`. */
  limit(depth: number): number;
  /** Requests above that rate that were admitted. */
  depth(rate: number): number;
}

/** Sends more than the limit believed in, to see whether it has been raised. Each stage that holds raises the belief. */
export class Probe implements Phase {
  readonly name = 'probe';
  /** Believed in when it began. */
  readonly base: number;
  readonly #log: AdmissionLog;
  readonly #isFixed: boolean;
  readonly #windowMs: number;
  readonly #firstStageWindows: number;
  readonly #minExcess: number;
  readonly #startedAt: number;
  /** When each stage began. */
  readonly #marks: number[];
  readonly #stage: Stage;
  #stagesHeld = 0;
  #limit: number;
  #factor: number;

  constructor({ log, limit, gain, kind, depth, lastRecoveredAt }: ProbeParts, now: number) {
    this.base = limit;
    this.#log = log;
    this.#isFixed = kind.kind === 'fixed';
    this.#windowMs = Math.min(MAX_WINDOW_MS, WINDOW_PER_RECOVERY * kind.longestMs);
    const isCalm = now - (lastRecoveredAt ?? now) > CALM_MS;
    this.#firstStageWindows = isCalm ? CALM_STAGE_WINDOWS : FIRST_STAGE_WINDOWS;
    this.#minExcess = Math.max(MIN_EXCESS, gain - 1 < SMALL_GAIN ? EXCESS_PER_DEPTH * depth : 0);
    this.#startedAt = now;
    this.#marks = [now];
    this.#stage = new Stage(log, now);
    this.#limit = limit;
    this.#factor = gain;
  }

  get limit(): number {
    return this.#limit;
  }

  get rate(): number {
    return this.#limit * this.#factor;
  }

  get perMs(): number {
    return this.rate / MINUTE_MS;
  }

  get mostPerMinute(): number {
    return Math.ceil(this.rate);
  }

  /** At least one stage was believed, so the limit is higher than it was. */
  get hasHeld(): boolean {
    return this.#stagesHeld > 0;
  }

  isOver(now: number): boolean {
    return now - this.#startedAt > MAX_PROBE_MS;
  }

  pause(now: number): void {
    this.#stage.restart(now);
  }

  idle(now: number): void {
    this.#stage.idle(this.perMs, now);
  }

  /** Requests wait: believes the rate, and goes on to a higher one, when the stage is over. */
  advance(now: number): void {
    const lastedMs = now - this.#stage.since;
    if (lastedMs < this.#stageMs()) return;
    const isUsed = this.#stage.isUsed(this.perMs, USED_SHARE, now);
    if (isUsed && this.#mayBeSavings(lastedMs, now)) return;
    if (isUsed) this.#raise(now);
    this.#stage.restart(now);
  }

  evidence(refusedAt: number): ProbeEvidence {
    const spans = [...this.#marks, this.#stage.since]
      .filter((mark) => refusedAt - mark > MIN_SPAN_MS)
      .map((mark) => ({ count: this.#log.count(mark, refusedAt), ms: refusedAt - mark }));
    return {
      limit: (depth) =>
        Math.max(...spans.map(({ count, ms }) => ((count - depth) * MINUTE_MS) / ms)),
      depth: (rate) => Math.max(...spans.map(({ count, ms }) => count - (rate * ms) / MINUTE_MS)),
    };
  }

  #stageMs(): number {
    if (!this.#isFixed) return Math.max(MIN_STAGE_MS, MIN_STAGE_TOKENS * (MINUTE_MS / this.rate));
    const windows = this.hasHeld ? NEXT_STAGE_WINDOWS : this.#firstStageWindows;
    return Math.max(MIN_STAGE_MS, this.#windowMs * windows);
  }

  /** What went through may still be what a bucket had saved up. */
  #mayBeSavings(lastedMs: number, now: number): boolean {
    if (this.#isFixed || lastedMs >= MAX_STAGE_MS) return false;
    const expected = cruisePerMs(this.base) * (now - this.#startedAt);
    const excess = this.#log.count(this.#startedAt, now) - expected;
    return excess < (this.hasHeld ? 0 : this.#minExcess);
  }

  /** Ever larger steps: where one stage holds, the limit is often a multiple of what it was. */
  #raise(now: number): void {
    this.#stagesHeld++;
    this.#marks.push(now);
    this.#limit = this.rate;
    if (this.#stagesHeld === 1) this.#factor = this.#factor < 1.15 ? 1.2 : 1.4;
    else this.#factor = this.#stagesHeld === 2 ? 1.5 : 2;
  }
}
