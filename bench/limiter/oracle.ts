/**
 * A sender that knows everything: the provider's limits and how far they are used up, how long each answer will be, what all
 * processes have to send. It sends the most urgent call as soon as that is certain to be admitted, and is never refused.
 */
import { createAccountLimits } from '../../src/testing/simulate/traffic/account-limits.ts';
import { charge, shortages } from '../../src/testing/simulate/traffic/admission.ts';
import { createBucketMeter } from '../../src/testing/simulate/traffic/bucket-meter.ts';
import { limitRules } from '../../src/testing/simulate/traffic/limit-rules.ts';
import { limitSchedule } from '../../src/testing/simulate/traffic/limit-schedule.ts';
import type { Meter } from '../../src/testing/simulate/traffic/meter.ts';
import { createNeighbours } from '../../src/testing/simulate/traffic/neighbours.ts';
import { createDraw } from './draw.ts';
import { durationOf } from './latency.ts';
import type { Scenario } from './scenario.ts';
import { createSendRecorder, type SendLog } from './send-log.ts';
import { PRIORITIES, requestsPerMinute, type WorkCall } from './workload.ts';

/** Limits may change and neighbours may come while it waits, so it looks again after so many milliseconds. */
const LOOK_MS = 100;

/** What it reaches with the calls of a scenario. */
export function playOracle(scenario: Scenario, calls: readonly WorkCall[], seed: number): SendLog {
  const recorder = createSendRecorder(calls);
  const server = createServer(scenario, seed);
  const waiting = PRIORITIES.map((): WorkCall[] => []);
  const end = scenario.minutes * 60_000;
  let arrived = 0;
  for (let now = 0; now <= end;) {
    for (let call = calls[arrived]; call !== undefined && call.arrivedAt <= now;) {
      waiting[PRIORITIES.indexOf(call.priority)]?.push(call);
      call = calls[++arrived];
    }
    const nextArrival = calls[arrived]?.arrivedAt ?? Infinity;
    const queue = waiting.find(({ length }) => length > 0);
    const [call] = queue ?? [];
    if (call === undefined) {
      now = nextArrival;
      continue;
    }
    const wait = server.waitMs(call, now);
    if (wait > 0) {
      now = Math.min(nextArrival, now + Math.min(wait, LOOK_MS));
      continue;
    }
    queue?.shift();
    recorder.sent(call, now).status = 200;
    recorder.done(call, server.admit(call, now));
  }
  return recorder;
}

/** The provider, as far as it matters who is admitted when. */
interface Server {
  waitMs(call: WorkCall, now: number): number;
  /** When the answer will be complete. */
  admit(call: WorkCall, now: number): number;
}

function createServer(scenario: Scenario, seed: number): Server {
  const { limits = [], neighbours, outages = [], maxConcurrent, load } = scenario.provider;
  const rules = limits.map((limit) =>
    limitRules(limit, scenario.format === 'anthropic' ? 'anthropic' : 'openai'),
  );
  const others = neighbours && createNeighbours(neighbours, createDraw(seed, 'provider').random);
  const meters = createAccountLimits(rules, others, 0).metersOf('', '');
  const overloads = overloadMeters(scenario);
  const places = Math.min(maxConcurrent ?? Infinity, load?.knee ?? Infinity);
  let underWay: Array<{ readonly endsAt: number; readonly settle: (now: number) => void }> = [];

  function settle(now: number): void {
    const over = underWay.filter(({ endsAt }) => endsAt <= now);
    if (over.length === 0) return;
    underWay = underWay.filter(({ endsAt }) => endsAt > now);
    for (const { settle } of over) settle(now);
  }

  return {
    waitMs(call, now) {
      settle(now);
      const outage = outages.find(({ from, to }) => from <= now && now < to);
      if (outage !== undefined) return outage.to - now;
      const waits = shortages(meters, demandOf(call), now).map(({ waitMs }) => waitMs);
      waits.push(overloads(now)?.waitMs(1, now) ?? 0);
      if (underWay.length >= places) {
        waits.push(Math.min(...underWay.map(({ endsAt }) => endsAt)) - now);
      }
      return Math.max(...waits);
    },
    admit(call, now) {
      const taken = charge(meters, demandOf(call), 0, now);
      taken.write(call.outputTokens, now);
      overloads(now)?.take(1, now);
      const endsAt = now + durationOf(scenario, call);
      underWay.push({ endsAt, settle: taken.end });
      return endsAt;
    },
  };
}

function demandOf({ inputTokens, maxTokens }: WorkCall): {
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
} {
  return { inputTokens, maxOutputTokens: maxTokens };
}

/** What is left of the rate while the provider is overloaded. */
function overloadMeters(scenario: Scenario): (now: number) => Meter | undefined {
  const periods = (scenario.provider.overload ?? []).map(({ from, to, share }) => {
    const schedule = limitSchedule(share * requestsPerMinute(scenario));
    const meter = createBucketMeter({ schedule, windowMs: 60_000, startAt: from, burst: 1 });
    return { from, to, meter };
  });
  return (now) => periods.find(({ from, to }) => from <= now && now < to)?.meter;
}
