/** Lanes to test: their limits do as they are told, and their calls note when they go. */
import type { Demand, Limiter, LimitState, Permit, RequestEnd } from '../../src/limits/types.ts';
import { createAlarm } from '../../src/schedule/alarm.ts';
import { Lane, type Turn } from '../../src/schedule/lane.ts';
import { scheduleSettings } from '../../src/schedule/settings.ts';
import type { SharedLimiter } from '../../src/schedule/shared-limiter.ts';
import { createVirtualClock, type VirtualClock } from '../../src/testing/index.ts';
import type { Clock, Priority } from '../../src/types.ts';

const END: RequestEnd = {
  verdict: { kind: 'ok', isRetryable: false },
  header: undefined,
  inputTokens: undefined,
  cacheReadTokens: undefined,
  outputTokens: undefined,
};

/** Lets so many be under way, and nobody before `openAt`. */
export class FakeLimiter implements Limiter {
  maxInFlight: number;
  openAt = 0;
  inFlight = 0;
  ends = 0;
  state: LimitState = 'normal';

  constructor(maxInFlight: number = Infinity) {
    this.maxInFlight = maxInFlight;
  }

  waitMs(_demand: Demand, now: number): number {
    if (this.inFlight >= this.maxInFlight) return Infinity;
    return Math.max(0, this.openAt - now);
  }

  admit(): Permit {
    this.inFlight++;
    return {
      begin: () => {},
      progress: () => {},
      end: () => {
        this.inFlight--;
        this.ends++;
      },
    };
  }

  snapshot(now: number): ReturnType<Limiter['snapshot']> {
    return {
      name: 'fake',
      state: this.state,
      requestsPerMinute: undefined,
      refusedShare: 0,
      inFlight: this.inFlight,
      maxInFlight: undefined,
      closedMs: Math.max(0, this.openAt - now),
      meters: [],
    };
  }
}

export interface Lanes {
  readonly clock: VirtualClock;
  lane(limiter: Limiter, wide?: readonly SharedLimiter[]): Lane;
  turn(name: string, parts?: Partial<Turn>): Turn;
  /** What happened since it was asked last. */
  took(): string[];
  end(name: string): void;
  /** How many were ever set. */
  timers(): number;
}

/** Lanes over one clock and one alarm, with calls that note when they go. */
export function setUp(): Lanes {
  const virtual = createVirtualClock();
  let timers = 0;
  const clock: Clock = {
    now: () => virtual.now(),
    wallNow: () => virtual.wallNow(),
    setTimeout: (run, ms) => {
      timers++;
      return virtual.setTimeout(run, ms);
    },
    clearTimeout: (handle) => virtual.clearTimeout(handle),
  };
  const alarm = createAlarm(clock);
  const log: string[] = [];
  const permits = new Map<string, Permit>();
  let sequence = 0;

  function lane(limiter: Limiter, wide: readonly SharedLimiter[] = []): Lane {
    const settings = scheduleSettings();
    return new Lane({
      clock,
      alarm,
      settings: () => settings,
      limiters: () => [limiter],
      wide,
      onState: (_limiter, state) => log.push(`now ${state}`),
    });
  }

  function turn(name: string, parts: Partial<Turn> = {}): Turn {
    const priority: Priority = parts.priority ?? 'normal';
    const arrivedAt = clock.now();
    return {
      priority,
      flow: '',
      arrivedAt,
      sequence: sequence++,
      demand: demand(priority),
      shared: [],
      go: (permit) => {
        permits.set(name, permit);
        log.push(`${name} at ${clock.now()}`);
      },
      drop: (code) => log.push(`${name} ${code}`),
      ...parts,
    };
  }

  return {
    clock: virtual,
    lane,
    turn,
    took: () => log.splice(0),
    end: (name: string) => permits.get(name)!.end(END, clock.now()),
    timers: () => timers,
  };
}

export function demand(priority: Priority = 'normal'): Demand {
  return {
    priority,
    arrivedAt: 0,
    attempt: 1,
    attemptsLeft: 0,
    inputTokens: 10,
    cachedTokens: 0,
    maxOutputTokens: undefined,
  };
}
