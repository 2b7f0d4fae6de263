import type { Clock, HeaderLookup, Random } from '../../types.ts';
import { LimitReader } from '../read-limits.ts';
import type {
  Demand,
  Limiter,
  LimiterSnapshot,
  LimitState,
  Permit,
  RateLimiting,
  RequestEnd,
} from '../types.ts';
import { BlindLearning } from './blind-learning.ts';
import { FaultGate } from './fault-gate.ts';
import { HeaderMeters } from './header-meters.ts';
import { HiddenLimit } from './hidden-limit.ts';
import { Ledger } from './ledger.ts';
import { RecentShare } from './recent-share.ts';
import { RetryAfterGate } from './retry-after-gate.ts';
import { sane, Sizes } from './sizes.ts';
import { createSurroundings } from './surroundings.ts';
import { Transit, type TransitOwner } from './transit.ts';
import { Unanswered } from './unanswered.ts';

export interface AdaptiveLimiterOptions {
  /** For the dates in headers; all other times are handed in. */
  readonly clock: Pick<Clock, 'wallNow'>;
  readonly random: Random;
  /** How many requests wait to be sent. */
  readonly waiting: () => number;
  /** How the provider limits, as far as that is documented. */
  readonly rateLimiting: RateLimiting | undefined;
}

/**
 * Finds out by itself how much one provider lets one account have of one model, and sends that. A request goes when all
 * agree: the gate that a refusal closes, the gate that failures close, a bucket for each limit that the headers tell, and where
 * they do not tell how many requests a minute there may be, what was learnt from admissions and refusals.
 */
export function createAdaptiveLimiter(options: AdaptiveLimiterOptions): Limiter {
  return new AdaptiveLimiter(options);
}

class AdaptiveLimiter implements Limiter, TransitOwner {
  readonly #clock: Pick<Clock, 'wallNow'>;
  readonly #reader = new LimitReader();
  readonly #unanswered = new Unanswered();
  readonly #refusals = new RecentShare(60_000);
  readonly #hidden = new HiddenLimit();
  readonly #retryGate: RetryAfterGate;
  readonly #faultGate: FaultGate;
  readonly #sizes: Sizes;
  readonly #ledger: Ledger;
  readonly #meters: HeaderMeters;
  readonly #blind: BlindLearning;
  #inFlight = 0;
  #now = -Infinity;
  #lastSentAt = -Infinity;
  /** When the last refusal was heard, and whether anything was admitted that was sent later. */
  #refusedAt = -Infinity;
  #isConfirmed = true;
  /** Whether the meters know why the last refusal was one, and so hold back by themselves. */
  #isExplained = true;
  #meanShare = 0;
  #state: LimitState = 'normal';

  constructor({ clock, random, waiting, rateLimiting }: AdaptiveLimiterOptions) {
    this.#clock = clock;
    const unanswered = this.#unanswered;
    const faultGate = new FaultGate(random, unanswered);
    const inFlight = (): number => this.#inFlight;
    const surroundings = createSurroundings({ random, waiting, inFlight, unanswered, faultGate });
    this.#faultGate = faultGate;
    this.#retryGate = new RetryAfterGate(random);
    this.#sizes = new Sizes(rateLimiting?.countsCacheReads ?? true);
    this.#ledger = new Ledger(this.#sizes, rateLimiting?.outputCharge);
    this.#meters = new HeaderMeters(surroundings, this.#sizes, this.#ledger);
    this.#blind = new BlindLearning(surroundings, this.#ledger, unanswered);
  }

  get state(): LimitState {
    return this.#state;
  }

  waitMs(demand: Demand, at: number): number {
    const now = this.#advance(at);
    if (this.#state !== 'normal') this.#noteState(now);
    return Math.max(
      this.#unanswered.coldWaitMs(now),
      this.#retryGate.waitMs(now, this.#blind.isNeeded || this.#isExplained),
      this.#faultGate.waitMs(now),
      this.#meters.waitMs(demand, now),
      this.#blind.waitMs(demand, now),
    );
  }

  admit(demand: Demand, at: number): Permit {
    const now = this.#advance(at);
    // Distinct moments make counts between two requests exact.
    const sentAt = now > this.#lastSentAt ? now : this.#lastSentAt + 1e-3;
    this.#lastSentAt = sentAt;
    const request = new Transit(this, demand, sentAt, ++this.#inFlight);
    this.#unanswered.add(request);
    this.#ledger.enter(request);
    this.#meters.charge(request, now);
    this.#retryGate.sent(sentAt);
    this.#faultGate.sent(request);
    this.#blind.sent(request, now);
    const share = this.#meters.share(demand);
    if (share > 0) this.#meanShare += (this.#meanShare > 0 ? 0.02 : 1) * (share - this.#meanShare);
    this.#noteState(now);
    return request;
  }

  cost(demand: Demand): number {
    const share = this.#meters.share(demand);
    return share > 0 && this.#meanShare > 0 ? share / this.#meanShare : 1;
  }

  snapshot(at: number): LimiterSnapshot {
    const now = this.#advance(at);
    const total = this.#refusals.total(now);
    return {
      name: 'adaptive',
      state: this.#stateNow(now),
      requestsPerMinute: least(this.#meters.requestsPerMinute(), this.#blind.requestsPerMinute),
      refusedShare: total === 0 ? 0 : this.#refusals.hits(now) / total,
      inFlight: this.#inFlight,
      maxInFlight: this.#blind.maxInFlight,
      closedMs: Math.max(this.#retryGate.closedMs(now), this.#faultGate.closedMs(now)),
      meters: this.#meters.snapshots(now),
    };
  }

  begun(request: Transit, header: HeaderLookup, at: number): void {
    const now = this.#advance(at);
    this.#admitted(request, now);
    this.#readHead(request, header, now);
    this.#noteState(now);
  }

  progressed(request: Transit, outputTokens: number, at: number): void {
    this.#meters.grow(request, outputTokens, this.#advance(at));
  }

  ended(request: Transit, end: RequestEnd, at: number): void {
    const now = this.#advance(at);
    const { kind, retryAfterMs } = end.verdict;
    const hasBegun = request.headAt !== undefined;
    this.#inFlight--;
    if (!hasBegun) {
      this.#decided(request, end, now);
      if (end.header !== undefined) this.#readHead(request, end.header, now);
    }
    if (kind === 'rate') this.#refused(request, retryAfterMs, now);
    if (kind === 'overload' || kind === 'failure') {
      this.#faultGate.failed(request, retryAfterMs, now);
    }
    if (request.fate === 'admitted') this.#settle(request, end, hasBegun, now);
    this.#noteState(now);
  }

  #readHead(request: Transit, header: HeaderLookup, now: number): void {
    const readings = this.#reader.read(header, this.#clock.wallNow());
    if (request.fate === 'refused') {
      this.#isExplained = this.#meters.explains(readings, request);
      this.#meters.learnRefusal(readings, request);
    }
    this.#meters.sync(readings, request, now);
  }

  /** The provider took it. */
  #admitted(request: Transit, now: number): void {
    request.headAt = now;
    request.fate = 'admitted';
    this.#unanswered.answered(request, now);
    this.#ledger.begun(request);
    this.#refusals.add(false, now);
    this.#retryGate.admitted(request.sentAt);
    this.#faultGate.succeeded(request, now);
    this.#blind.admitted(request, now);
    if (request.sentAt > this.#refusedAt) this.#isConfirmed = true;
  }

  /** It ended without the head of a good answer. */
  #decided(request: Transit, { verdict, header }: RequestEnd, now: number): void {
    switch (verdict.kind) {
      case 'ok': // refused for a reason of its own
        this.#admitted(request, now);
        return;
      case 'aborted': // nobody will know; count it
        request.fate = 'admitted';
        this.#unanswered.ended(request, false, now);
        return;
      case 'rate':
        request.fate = 'refused';
        this.#isExplained = false;
        break;
      case 'spent':
      case 'overload':
      case 'failure':
        request.fate = 'failed';
        this.#failed(request, header, now);
    }
    this.#ledger.strike(request);
    this.#unanswered.ended(request, header !== undefined, now);
  }

  /** Without an answer, and too late for a broken connection, it may have been admitted all the same. */
  #failed(request: Transit, header: HeaderLookup | undefined, now: number): void {
    const isTimeout = header === undefined && now - request.sentAt > this.#unanswered.patienceMs;
    if (!isTimeout) this.#meters.refund(request, now);
    this.#blind.failed(request, isTimeout, now);
  }

  /** Its reservation stays taken, unless a head says otherwise: refused, it shows that the meters promise too much. */
  #refused(request: Transit, retryAfterMs: number | undefined, now: number): void {
    this.#refusals.add(true, now);
    // Where the learner paces, it decides itself how long to pause.
    if (retryAfterMs !== undefined || !this.#blind.isNeeded) {
      this.#retryGate.refused(request.sentAt, retryAfterMs, now);
    }
    // Those that were sent before the last refusal was heard are part of the same news.
    const isNews = request.sentAt > this.#refusedAt;
    const isFirst = isNews && this.#isConfirmed;
    if (isNews) {
      this.#isExplained ||= this.#meters.waitMs(request.demand, now) > 0;
      if (this.#meters.tellsRate) this.#hidden.refused(this.#isExplained, now);
      this.#refusedAt = now;
      this.#isConfirmed = false;
    }
    if (request.fate === 'refused') this.#blind.refused(request, isFirst, retryAfterMs, now);
  }

  #settle(request: Transit, end: RequestEnd, hasBegun: boolean, now: number): void {
    const isWhole = end.verdict.kind === 'ok' && hasBegun;
    const input = this.#sizes.realInput(end.inputTokens, end.cacheReadTokens);
    const output = sane(end.outputTokens);
    if (isWhole) this.#learn(request, end, input, output, now);
    const written =
      output ?? (isWhole ? request.expected : this.#ledger.likelyWritten(request, now));
    this.#meters.settle(request, input ?? request.input, written, now);
    this.#ledger.settle(request, input ?? request.input, written);
  }

  #learn(
    request: Transit,
    { inputTokens: all }: RequestEnd,
    input: number | undefined,
    output: number | undefined,
    now: number,
  ): void {
    if (all !== undefined && input !== undefined) {
      this.#sizes.learnInput(request.demand, all, request.input, input);
    }
    const speed = output === undefined ? undefined : request.tokensPerSecond(output, now);
    if (output !== undefined) this.#sizes.learnOutput(request.demand, output);
    if (speed !== undefined) this.#ledger.learnSpeed(speed);
    this.#blind.ended(request, speed, now);
  }

  #stateNow(now: number): LimitState {
    const learnt = this.#blind.state;
    const isClosed = this.#retryGate.closedMs(now) > 0 || this.#faultGate.state === 'failing';
    if (isClosed || learnt === 'retreat') return 'retreat';
    if (this.#faultGate.state === 'trying' || !this.#isConfirmed) return 'recover';
    return learnt;
  }

  #noteState(now: number): void {
    this.#state = this.#stateNow(now);
  }

  /** Time never goes back in here, whatever the clock does. */
  #advance(at: number): number {
    if (at > this.#now) this.#now = at;
    const now = this.#now;
    this.#blind.need(!this.#meters.tellsRate || this.#hidden.isSuspected(now), now);
    return now;
  }
}

/** The smaller one of what is known. */
function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
