import { type AdaptiveKind, hasLimit, type LimitRule } from '../settings.ts';
import type { LimiterSnapshot } from '../types.ts';
import { LimiterStore } from './limiter-store.ts';
import type { MakeWindow } from './meter.ts';
import { compileRule, type CompiledRule, type LimitSubject } from './match-rule.ts';
import { createRuleLimiter, type RuleLimiter } from './rule-limiter.ts';
import { SubjectCache } from './subject-cache.ts';

/** What the rules say of one call. The same object for all calls of which they say the same. */
export interface RuleSet<T> {
  readonly adaptive: AdaptiveKind;
  /** Where a strategy starts, in requests a minute; `undefined` for its own default. */
  readonly startRate: number | undefined;
  /** Limits that provider, account and model alone decide on. */
  readonly laneWide: readonly T[];
  /** Limits that apply to some calls of a provider, account and model and not to others, or count them apart. */
  readonly ofFlow: readonly T[];
  /** Equal for calls that share all of `ofFlow`; empty when there is none. */
  readonly flow: string;
}

/** The option `limits`, ready for calls. */
export interface RuleBook<T> {
  /** What applies to a call. Cheap when it was asked of late. `now` is `Clock.now()`. */
  rulesFor(subject: LimitSubject, now: number): RuleSet<T>;
  /** Every limit that counts something. */
  snapshot(now: number): readonly LimiterSnapshot[];
}

/**
 * What counts against the numbers of one limit, where others count with us. `key` names it; `limit` is what callers get of it, to
 * be told when somebody else has changed what counts.
 */
export type WindowsOf<T> = (key: string, limit: () => T | undefined) => MakeWindow;

/**
 * Limits are made when a call first needs them, once for each combination of what their rule counts separately for, and are the
 * same ones for every call, wherever it waits. `wrap` says what callers get of each; it must hold on to the limiter, and is
 * called once for each.
 */
export function createRuleBook<T extends object>(
  rules: readonly LimitRule[],
  wrap: (limiter: RuleLimiter) => T,
  windows?: WindowsOf<T>,
): RuleBook<T> {
  const compiled = rules.map(compileRule);
  const store = new LimiterStore();
  const wrapped = new WeakMap<RuleLimiter, T>();
  const known = new SubjectCache<RuleSet<T>>(compiled);

  function limitOf(rule: CompiledRule, subject: LimitSubject, key: string, now: number): T {
    const limiter = store.get(key, () => newLimiter(rule, subject, key), now);
    let shared = wrapped.get(limiter);
    if (shared === undefined) wrapped.set(limiter, (shared = wrap(limiter)));
    return shared;
  }

  function newLimiter(rule: CompiledRule, subject: LimitSubject, key: string): RuleLimiter {
    const makeWindow = windows?.(key, () => wrapped.get(limiter));
    const limiter = createRuleLimiter(rule.rule, nameOf(rule, subject), makeWindow);
    return limiter;
  }

  function read(subject: LimitSubject, now: number): RuleSet<T> {
    let adaptive: AdaptiveKind = true;
    let startRate: number | undefined;
    const laneWide: T[] = [];
    const ofFlow: T[] = [];
    let flow = '';
    for (const each of compiled) {
      if (!each.matches(subject)) continue;
      if (each.rule.adaptive !== undefined) {
        adaptive = each.rule.adaptive;
        startRate = each.rule.requestsPerMinute;
      }
      if (!hasLimit(each.rule)) continue;
      const values = each.per.map((dimension) => part(subject[dimension]));
      const key = `${each.index}|${values.join('')}`;
      const limit = limitOf(each, subject, key, now);
      if (each.isLaneWide) {
        laneWide.push(limit);
      } else {
        ofFlow.push(limit);
        flow += `${key} `;
      }
    }
    return { adaptive, startRate, laneWide, ofFlow, flow };
  }

  const nothing: RuleSet<T> = {
    adaptive: true,
    startRate: undefined,
    laneWide: [],
    ofFlow: [],
    flow: '',
  };
  return {
    rulesFor(subject, now) {
      if (compiled.length === 0) return nothing;
      return known.get(subject, () => read(subject, now));
    },
    snapshot(now) {
      const snapshots: LimiterSnapshot[] = [];
      for (const limiter of store.values()) {
        if (!limiter.isIdle(now)) snapshots.push(limiter.snapshot(now));
      }
      return snapshots;
    },
  };
}

/** No two lists of parts make the same key, whatever stands in them. */
export function part(value: string | undefined): string {
  return value === undefined ? '-' : `${value.length}:${value}`;
}

/** As users see it: the place of the rule in their option, and what it counts separately for. */
function nameOf({ index, per }: CompiledRule, subject: LimitSubject): string {
  const values = per.map((dimension) => ` ${dimension}=${subject[dimension] ?? ''}`);
  return `limits[${index}]${values.join('')}`;
}
