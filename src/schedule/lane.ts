import type { RouterErrorCode } from '../errors.ts';
import type { Demand, Limiter, LimitState, Permit } from '../limits/types.ts';
import type { Clock, Priority } from '../types.ts';
import { createFairQueue } from './fair-queue.ts';
import { LanePermit, type PermitOwner } from './lane-permit.ts';
import { RANK, type SharedLimiter } from './shared-limiter.ts';
import type { ScheduleSettings } from './settings.ts';
import type { Alarm, AlarmHandle, Waiter } from './types.ts';

/** One call that waits for its turn. */
export interface Turn extends Waiter {
  readonly demand: Demand;
  /** Limits that not all calls of this lane fall under. */
  readonly shared: readonly SharedLimiter[];
  /** It may go: called at most once. `charged`: what its flow was charged for it, to be given back if it comes again. */
  go(permit: Permit, charged: number): void;
  /** It is not to wait any longer: somebody more urgent took its place, or the router closes. */
  drop(code: RouterErrorCode): void;
}

export interface LaneOptions {
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly settings: () => ScheduleSettings;
  /** What finds the provider's limit. `waiting` tells how many wait here. */
  readonly limiters: (waiting: () => number) => readonly Limiter[];
  /** Limits of all its calls, and perhaps of other lanes'. */
  readonly wide: readonly SharedLimiter[];
  /** A limit of the lane has changed its state. */
  readonly onState: (limiter: Limiter, state: LimitState) => void;
}

/**
 * Calls for one provider, account and model: those that wait, and the limits they wait for.
 *
 * - A call leaves the queue only together with its permits, so nothing is picked before there is room for it, and a more
 *   urgent one that comes meanwhile goes first.
 * - Nobody slips past the head of the queue because he is smaller. Only calls whose own flow is at a limit of its own are
 *   passed over.
 * - Whoever waits is woken by an event (a permit begins, grows or ends; a call comes or leaves) or by one entry in the alarm,
 *   for the time that the limits named. The alarm is set whenever somebody waits for time to pass.
 */
export class Lane implements PermitOwner {
  /** When it was last used: the longest unused goes first when there are too many. */
  usedAt = 0;
  /** Its own, then those of `wide`. */
  readonly limiters: readonly Limiter[];
  readonly #options: LaneOptions;
  readonly #queue: ReturnType<typeof createFairQueue<Turn>>;
  readonly #states: LimitState[] = [];
  readonly #again = (): void => {
    this.pump();
  };
  /** How to forget that a flow is passed over. */
  readonly #blocked = new Map<string, () => void>();
  #inFlight = 0;
  #wake: AlarmHandle | undefined;
  #wakeAt = Infinity;
  #isPumping = false;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#queue = createFairQueue<Turn>({
      agingMs: options.settings().agingMs,
      weightOf: (flow) => options.settings().weights[tenantOf(flow)] ?? 1,
      cost: (turn) => this.#cost(turn.demand),
    });
    const own = options.limiters(() => this.#queue.size);
    this.limiters = [...own, ...options.wide.map(({ limiter }) => limiter)];
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waitingByPriority(): Readonly<Record<Priority, number>> {
    return this.#queue.sizes;
  }

  get isIdle(): boolean {
    return this.#queue.size === 0 && this.#inFlight === 0;
  }

  /** Whether as many wait as may. `isRuled`: limits of the user's own are among those they wait for. */
  isFull(isRuled: boolean): boolean {
    const { maxQueue, isQueueFirm } = this.#options.settings();
    return this.#queue.size >= maxQueue && (isQueueFirm || isRuled || this.#knowsLimit());
  }

  /** The permit of a call that need not wait. `undefined`: it has to. */
  enter(demand: Demand, shared: readonly SharedLimiter[]): Permit | undefined {
    if (this.#queue.size > 0) return undefined;
    const now = this.#options.clock.now();
    if (this.#waitMs(demand, now) > 0) return undefined;
    for (const { limiter } of shared) if (waitOf(limiter, demand, now) > 0) return undefined;
    return this.#admit(demand, shared, now);
  }

  /** Past all limits, which count it all the same. */
  pass(demand: Demand, shared: readonly SharedLimiter[]): Permit {
    return this.#admit(demand, shared, this.#options.clock.now());
  }

  wait(turn: Turn): void {
    this.#queue.push(turn);
    this.pump();
  }

  /** It does not want to go any more. */
  leave(turn: Turn): void {
    if (!this.#queue.remove(turn)) return;
    // What its flow is passed over for may have been this call alone.
    this.#unblock(turn.flow);
    this.pump();
  }

  /** The latest of the least urgent, if it is less urgent than this one, makes room. */
  dropLower(priority: Priority): boolean {
    const last = this.#queue.last();
    if (last === undefined || RANK[last.priority] <= RANK[priority]) return false;
    this.leave(last);
    last.drop('ERR_QUEUE_FULL');
    return true;
  }

  /** Nobody waits any longer. */
  close(): void {
    for (let turn = this.#queue.last(); turn !== undefined; turn = this.#queue.last()) {
      this.#queue.remove(turn);
      turn.drop('ERR_CLOSED');
    }
    this.pump();
  }

  /** How long a call that comes now is likely to wait, in milliseconds; 0 where nothing is known. */
  forecastMs(demand: Demand, flow: string): number {
    const now = this.#options.clock.now();
    const wait = this.#waitMs(demand, now);
    const ahead = this.#queue.ahead(demand.priority, flow);
    let perMinute = Infinity;
    for (const limiter of this.limiters) {
      perMinute = Math.min(perMinute, limiter.snapshot(now).requestsPerMinute ?? Infinity);
    }
    const queued = ahead === 0 || perMinute === Infinity ? 0 : (ahead * 60_000) / perMinute;
    return Math.max(wait === Infinity ? 0 : wait, queued);
  }

  /** A request of this lane has an answer. */
  begun(shared: readonly SharedLimiter[]): void {
    this.#watch();
    // Whoever waits for these, here or in other lanes, in one order.
    for (const limit of this.#options.wide) limit.wake();
    for (const limit of shared) limit.wake();
    this.pump();
  }

  /** A request of this lane is over. */
  ended(shared: readonly SharedLimiter[]): void {
    this.#inFlight--;
    this.begun(shared);
  }

  /** Lets go whoever may. */
  pump(): void {
    if (this.#isPumping) return;
    if (this.#queue.size > 0) this.#pump();
    if (this.#queue.size === 0) this.#rest();
  }

  /** Nobody waits: nothing is to wake this lane. */
  #rest(): void {
    for (const forget of this.#blocked.values()) forget();
    for (const { waiting } of this.#options.wide) waiting.delete(this.#again);
    if (this.#wakeAt === Infinity) return;
    this.#options.alarm.clear(this.#wake);
    this.#wakeAt = Infinity;
  }

  #pump(): void {
    this.#isPumping = true;
    try {
      this.#letGo(this.#options.clock.now());
    } finally {
      this.#isPumping = false;
    }
  }

  #letGo(now: number): void {
    for (;;) {
      const turn = this.#queue.next(now);
      if (turn === undefined) return;
      const { demand, shared } = turn;
      const wait = this.#waitMs(demand, now);
      if (wait > 0) {
        this.#wakeIn(wait, now);
        // Another lane's permit may end first.
        for (const { waiting } of this.#options.wide) waiting.set(this.#again, turn);
        return;
      }
      const own = sharedWaitMs(turn, now);
      if (own > 0) {
        this.#block(turn, own, now);
        continue;
      }
      const charged = this.#queue.take(turn, now);
      turn.go(this.#admit(demand, shared, now), charged);
    }
  }

  /** Passes over a flow until its own limits may have room again. */
  #block(turn: Turn, ms: number, now: number): void {
    const { flow, shared } = turn;
    this.#blocked.get(flow)?.();
    const forget = (): void => {
      this.#blocked.delete(flow);
      this.#options.alarm.clear(bell);
      for (const { waiting } of shared) waiting.delete(free);
    };
    const free = (): void => {
      this.#unblock(flow);
      this.pump();
    };
    const bell = ms === Infinity ? undefined : this.#options.alarm.set(now + Math.max(1, ms), free);
    for (const { waiting } of shared) waiting.set(free, turn);
    this.#blocked.set(flow, forget);
    this.#queue.block(flow);
  }

  #unblock(flow: string): void {
    this.#blocked.get(flow)?.();
    this.#queue.unblock(flow);
  }

  #watch(): void {
    for (let i = 0; i < this.limiters.length; i++) {
      const limiter = this.limiters[i]!;
      const { state } = limiter;
      if (state === undefined || state === this.#states[i]) continue;
      const before = this.#states[i];
      this.#states[i] = state;
      if (before !== undefined || state !== 'normal') this.#options.onState(limiter, state);
    }
  }

  #wakeIn(ms: number, now: number): void {
    // Less than a clock can tell would wake us for now, again and again.
    const at = now + Math.max(1, ms);
    // One that rings early costs a look; setting it anew for every event would cost more.
    if (at >= this.#wakeAt) return;
    this.#options.alarm.clear(this.#wake);
    this.#wakeAt = at;
    this.#wake = this.#options.alarm.set(at, () => {
      this.#wakeAt = Infinity;
      this.pump();
    });
  }

  #waitMs(demand: Demand, now: number): number {
    let longest = 0;
    for (const limiter of this.limiters) {
      const wait = waitOf(limiter, demand, now);
      if (wait > longest) longest = wait;
    }
    return longest;
  }

  #knowsLimit(): boolean {
    const now = this.#options.clock.now();
    return this.limiters.some((limiter) => {
      const { state, requestsPerMinute, meters } = limiter.snapshot(now);
      return state === 'retreat' || requestsPerMinute !== undefined || meters.length > 0;
    });
  }

  #cost(demand: Demand): number {
    let most = 0;
    for (const limiter of this.limiters) most = Math.max(most, limiter.cost?.(demand) ?? 0);
    return most > 0 ? most : 1;
  }

  #admit(demand: Demand, shared: readonly SharedLimiter[], now: number): Permit {
    this.#inFlight++;
    const permits: Permit[] = [];
    for (const limiter of this.limiters) permits.push(admitTo(limiter, demand, now));
    for (const { limiter } of shared) permits.push(admitTo(limiter, demand, now));
    return new LanePermit(this, permits, shared);
  }
}

/** Calls of one tenant that fall under the same limits beside those of the lane. */
export function flowOf(tenant: string | undefined, limits: string): string {
  return limits === '' ? (tenant ?? '') : `${tenant ?? ''}${SEPARATOR}${limits}`;
}

function tenantOf(flow: string): string {
  const end = flow.indexOf(SEPARATOR);
  return end < 0 ? flow : flow.slice(0, end);
}

const SEPARATOR = '\u0000';

function sharedWaitMs({ demand, shared }: Turn, now: number): number {
  let longest = 0;
  for (const { limiter } of shared) {
    const wait = waitOf(limiter, demand, now);
    // Not `Math.max`: a number that is none would hide all others.
    if (wait > longest) longest = wait;
  }
  return longest;
}

/** A fault in a limit costs what it would have held back, never a call. */
function waitOf(limiter: Limiter, demand: Demand, now: number): number {
  try {
    return limiter.waitMs(demand, now);
  } catch {
    return 0;
  }
}

function admitTo(limiter: Limiter, demand: Demand, now: number): Permit {
  try {
    return limiter.admit(demand, now);
  } catch {
    return NO_PERMIT;
  }
}

const NO_PERMIT: Permit = { begin: () => {}, progress: () => {}, end: () => {} };
