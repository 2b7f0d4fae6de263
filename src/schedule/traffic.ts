import type { Call } from '../call.ts';
import { createAdaptiveLimiter } from '../limits/adaptive/adaptive-limiter.ts';
import { createRuleBook, type RuleSet, type WindowsOf } from '../limits/rules/rule-book.ts';
import { SharedWindow } from '../limits/rules/shared-window.ts';
import type { LimitRule } from '../limits/settings.ts';
import { createSharedGate } from '../limits/shared-gate.ts';
import { createStrategy } from '../limits/strategies/create-strategy.ts';
import type { LimiterSnapshot, LimitState } from '../limits/types.ts';
import type { RouterPools } from '../stores/router-pools.ts';
import type { Clock, Endpoint, Priority, Random } from '../types.ts';
import { createAlarm } from './alarm.ts';
import { flowOf, Lane } from './lane.ts';
import {
  LOW_MAX_WAIT_MS,
  scheduleSettings,
  type ScheduleOptions,
  type ScheduleSettings,
} from './settings.ts';
import { SharedLimiter } from './shared-limiter.ts';
import type { Alarm } from './types.ts';

/** Where a call waits, and what for. */
export interface Place {
  readonly lane: Lane;
  /** Limits that not all calls of the lane fall under. */
  readonly shared: readonly SharedLimiter[];
  readonly flow: string;
  /** A limit of the user's own applies. */
  readonly isRuled: boolean;
}

/** What a lane is for. */
export interface LaneName {
  readonly provider: string;
  /** A short hash of the credentials. */
  readonly account: string;
  readonly model: string;
}

/** A change of what a provider lets through, as the router sees it. */
export interface LimitChange extends LaneName {
  readonly state: LimitState;
  readonly limiter: LimiterSnapshot;
}

export interface LaneSnapshot extends LaneName {
  /** Calls that wait for their turn. */
  readonly waiting: Readonly<Record<Priority, number>>;
  /** Requests under way. */
  readonly inFlight: number;
  readonly limits: readonly LimiterSnapshot[];
}

export interface TrafficSnapshot {
  /** One for each provider, account and model that was called. */
  readonly lanes: readonly LaneSnapshot[];
  /** The rules of the option `limits`, one for each of what they count separately. */
  readonly rules: readonly LimiterSnapshot[];
}

export interface TrafficOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly schedule: ScheduleOptions | undefined;
  readonly limits: readonly LimitRule[] | undefined;
  /** Where rules count together with those of other routers. Default: each router counts by itself. */
  readonly pools?: RouterPools | undefined;
  readonly onLimit: (change: LimitChange) => void;
}

/** All lanes of a router: which calls share limits, and where they wait. It owns the lanes, and their number is bounded. */
export interface Traffic {
  /** Wakes whoever waits for time to pass. */
  readonly alarm: Alarm;
  /** As they are now. */
  readonly settings: ScheduleSettings;
  /** From now on. Whoever waits goes on waiting, also when more wait than may now. */
  reschedule(options: ScheduleOptions): void;
  /** `undefined` for what is not limited: requests that no provider bills. */
  placeOf(call: Call): Place | undefined;
  /** How long such a call waits at most. */
  maxWaitMs(priority: Priority, place: Place): number | undefined;
  snapshot(): TrafficSnapshot;
  /** Whether the limits hold a call's next request back by themselves once one was refused for its rate. */
  isPaced(call: Call): boolean;
  /** Refuses everybody who waits. */
  close(): void;
}

/** Lanes that are not in use are forgotten above this number, the longest unused first. */
const MAX_LANES = 1000;

export function createTraffic(options: TrafficOptions): Traffic {
  const { clock, random, onLimit } = options;
  let settings = scheduleSettings(options.schedule);
  const rules = createRuleBook(
    options.limits ?? [],
    (limiter) => new SharedLimiter(limiter),
    options.pools && windowsIn(options.pools),
  );
  const alarm = createAlarm(clock);
  const lanes = new Map<string, NamedLane>();
  /** Most calls in a row are alike, and a key made for each would have to be hashed. */
  let last: LastLane | undefined;

  function rulesOf({ endpoint, account, model, context }: Call): RuleSet<SharedLimiter> {
    const { tenant, user, tags } = context;
    const subject = {
      provider: endpoint.provider,
      account,
      model: model ?? '',
      tenant,
      user,
      tags,
    };
    return rules.rulesFor(subject, clock.now());
  }

  function laneOf(call: Call, ruled: RuleSet<SharedLimiter>): Lane {
    const { account, endpoint, parsedUrl } = call;
    const model = call.model ?? '';
    const now = clock.now();
    if (
      last?.ruled === ruled &&
      last.url === parsedUrl &&
      last.account === account &&
      last.model === model
    ) {
      last.lane.usedAt = now;
      return last.lane;
    }
    const { adaptive, startRate } = ruled;
    const where = `${endpoint.provider} ${parsedUrl?.origin ?? ''}`;
    const key = `${account} ${where} ${model} ${String(adaptive)} ${startRate ?? ''}`;
    let entry = lanes.get(key);
    if (entry === undefined) {
      if (lanes.size >= MAX_LANES) forgetOne();
      entry = newLane(
        { provider: endpoint.provider, account, model },
        `${where} ${account} ${model}`,
        endpoint,
        ruled,
      );
      lanes.set(key, entry);
    }
    const { lane } = entry;
    lane.usedAt = now;
    last = { ruled, url: parsedUrl, account, model, lane };
    return lane;
  }

  function newLane(
    name: LaneName,
    key: string,
    { limits: rateLimiting }: Endpoint,
    { adaptive, startRate, laneWide }: RuleSet<SharedLimiter>,
  ): NamedLane {
    const lane = new Lane({
      clock,
      alarm,
      settings: () => settings,
      wide: laneWide,
      limiters: (waiting) => {
        if (adaptive === false) return [];
        const own =
          adaptive === true
            ? createAdaptiveLimiter({ clock, random, waiting, rateLimiting })
            : createStrategy(adaptive, startRate);
        if (options.pools === undefined) return [own];
        const { store, holder } = options.pools;
        return [own, createSharedGate({ store, holder, key: `gate:${key}`, clock, random })];
      },
      onState: (limiter, state) => {
        onLimit({ ...name, state, limiter: limiter.snapshot(clock.now()) });
      },
    });
    return { lane, name };
  }

  function forgetOne(): void {
    let oldest: string | undefined;
    let usedAt = Infinity;
    for (const [key, { lane }] of lanes) {
      if (!lane.isIdle || lane.usedAt >= usedAt) continue;
      oldest = key;
      ({ usedAt } = lane);
    }
    if (oldest !== undefined) lanes.delete(oldest);
    last = undefined;
  }

  return {
    alarm,
    get settings() {
      return settings;
    },
    reschedule(changed) {
      settings = scheduleSettings(changed);
    },
    placeOf(call) {
      if (call.endpoint.wire === undefined || call.endpoint.api === 'other') return undefined;
      const ruled = rulesOf(call);
      return {
        lane: laneOf(call, ruled),
        shared: ruled.ofFlow,
        flow: flowOf(call.context.tenant, ruled.flow),
        isRuled: ruled.laneWide.length > 0 || ruled.ofFlow.length > 0,
      };
    },
    isPaced: (call) => rulesOf(call).adaptive !== false,
    maxWaitMs(priority, { isRuled }) {
      const { maxWaitMs, lowMaxWaitMs } = settings;
      if (priority !== 'low') return maxWaitMs;
      return lowMaxWaitMs ?? maxWaitMs ?? (isRuled ? LOW_MAX_WAIT_MS : undefined);
    },
    snapshot() {
      const now = clock.now();
      return {
        lanes: Array.from(lanes.values(), ({ lane, name }) => ({
          ...name,
          waiting: { ...lane.waitingByPriority },
          inFlight: lane.inFlight,
          limits: lane.limiters.map((limiter) => limiter.snapshot(now)),
        })),
        rules: rules.snapshot(now),
      };
    },
    close() {
      for (const { lane } of lanes.values()) lane.close();
      lanes.clear();
      last = undefined;
      alarm.close();
    },
  };
}

/** Rules count in pools that are named after their place in the option and after what they count separately for. */
function windowsIn(pools: RouterPools): WindowsOf<SharedLimiter> {
  return (key, limiter) => (unit, windowMs, limit) => {
    const window =
      windowMs === 0 ? ({ kind: 'held' } as const) : ({ kind: 'sliding', windowMs } as const);
    const name = { key: `limits:${key}:${unit}:${windowMs}`, limit, window };
    return new SharedWindow(
      pools.open(
        () => name,
        () => limiter()?.wake(),
      ),
      limit,
    );
  };
}

/** What the last call was, as far as its lane depends on it. */
interface LastLane {
  readonly ruled: RuleSet<SharedLimiter>;
  /** The same for each call to an address: it stands for the provider and its host. */
  readonly url: URL | undefined;
  readonly account: string;
  readonly model: string;
  readonly lane: Lane;
}

interface NamedLane {
  readonly lane: Lane;
  readonly name: LaneName;
}
