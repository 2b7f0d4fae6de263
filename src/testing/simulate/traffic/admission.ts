import type { LimitRules } from './limit-rules.ts';
import type { Charge } from './meter.ts';
import type { SharedMeter } from './shared-meter.ts';

/** What a request will take, as far as a server knows when it arrives. */
export interface Demand {
  readonly inputTokens: number;
  /** What its body allows. */
  readonly maxOutputTokens: number | undefined;
}

/** A limit that a request does not fit into. */
export interface Shortage {
  readonly rules: LimitRules;
  readonly limit: number;
  readonly requested: number;
  readonly remaining: number;
  readonly waitMs: number;
}

/** The limits that have no room for a request; none when it may go. */
export function shortages(
  meters: readonly SharedMeter[],
  demand: Demand,
  now: number,
): readonly Shortage[] {
  return meters.flatMap((shared) => {
    const { rules } = shared;
    const meter = shared.at(now);
    // Where nothing is known of the output, something must be left for it.
    const requested = Math.max(1, costOf(rules, demand));
    if (meter.fits(requested, now)) return [];
    const waitMs = meter.waitMs(requested, now);
    const remaining = meter.remaining(now);
    return [{ rules, limit: meter.limit(now), requested, remaining, waitMs }];
  });
}

/** Charges a refused request where refused requests count. */
export function punish(meters: readonly SharedMeter[], demand: Demand, now: number): void {
  for (const shared of meters) {
    if (shared.rules.chargeRefused) shared.at(now).punish(costOf(shared.rules, demand), now);
  }
}

/** What an answer still does to the limits. */
export interface OpenCharge {
  /** Whether it matters how much of it was written. */
  readonly isMetered: boolean;
  write(outputTokens: number, now: number): void;
  /** It is whole, or nobody wants the rest. */
  end(now: number): void;
}

/** Charges a request that fits. `cacheReadTokens`: what of its input was read from the prompt cache. */
export function charge(
  meters: readonly SharedMeter[],
  demand: Demand,
  cacheReadTokens: number,
  now: number,
): OpenCharge {
  const growing: SharedMeter[] = [];
  const reserved: Array<{ readonly shared: SharedMeter; readonly charge: Charge }> = [];
  for (const shared of meters) {
    const { rules } = shared;
    const meter = shared.at(now);
    const taken = meter.take(costOf(rules, demand), now);
    if (hasInput(rules) && !rules.countsCacheReads) meter.giveBack(taken, cacheReadTokens, now);
    if (!hasOutput(rules)) continue;
    if (reservation(rules, demand) === undefined) growing.push(shared);
    else if (rules.charge === 'reserve') reserved.push({ shared, charge: taken });
  }
  let unwritten = demand.maxOutputTokens ?? 0;

  return {
    isMetered: growing.length > 0 || reserved.length > 0,
    write(outputTokens, at) {
      unwritten = Math.max(0, unwritten - outputTokens);
      for (const shared of growing) shared.at(at).take(outputTokens, at);
    },
    end(at) {
      for (const { shared, charge: taken } of reserved) {
        shared.at(at).giveBack(taken, unwritten, at);
      }
    },
  };
}

/** What is charged when a request is admitted. */
function costOf(rules: LimitRules, demand: Demand): number {
  if (rules.unit === 'requests') return 1;
  const input = hasInput(rules) ? demand.inputTokens : 0;
  return input + (hasOutput(rules) ? (reservation(rules, demand) ?? 0) : 0);
}

/** The output that is charged beforehand; `undefined` where it is charged as it is written. */
function reservation({ charge: how }: LimitRules, demand: Demand): number | undefined {
  return how === 'actual' ? undefined : demand.maxOutputTokens;
}

function hasInput({ unit }: LimitRules): boolean {
  return unit === 'inputTokens' || unit === 'tokens';
}

function hasOutput({ unit }: LimitRules): boolean {
  return unit === 'outputTokens' || unit === 'tokens';
}
