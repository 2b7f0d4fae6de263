import { LRUCache } from 'lru-cache';
import type { Attempt, Call } from '../call.ts';
import { LimiterStore } from '../limits/rules/limiter-store.ts';
import type { LimitSubject } from '../limits/rules/match-rule.ts';
import { SubjectCache } from '../limits/rules/subject-cache.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { picoDollars, usd } from '../util/usd.ts';
import { demandOf } from '../schedule/demand.ts';
import type { Alarm } from '../schedule/types.ts';
import type { RouterPools } from '../stores/router-pools.ts';
import type { Clock, UsageRecord } from '../types.ts';
import { admit } from './admit.ts';
import type { Asking } from './asking.ts';
import { Budget, type BudgetPassed, type BudgetSnapshot, type OpenPurse } from './budget.ts';
import { chargeOf, isBilled } from './charge.ts';
import { canClamp } from './clamp.ts';
import { Hold } from './hold.ts';
import { LocalPurse, type Purse } from './purse.ts';
import { createRates } from './rates.ts';
import type { BudgetRefusal } from './refusal.ts';
import { compileBudget, type CompiledBudget } from './rules.ts';
import type { BudgetRule } from './settings.ts';
import { sharedPurses } from './shared-purse.ts';
import { ModelSizes } from './sizes.ts';
import { namesStoredInput } from './stored-input.ts';
import { createWaiting } from './waiting.ts';

export interface BudgetsConfig {
  readonly rules: readonly BudgetRule[];
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly prices: PriceBook;
  /** Told of every share of a limit that is passed. Never throws. */
  readonly onPassed: (passed: BudgetPassed) => void;
  /** Counts together with other routers. Default: in this process. */
  readonly pools?: RouterPools | undefined;
}

/** All budgets of a router. */
export interface Budgets {
  /** What is reserved for a call, or why it may not go; `undefined` for one that no budget can refuse. Rejects as `fetch` does. */
  reserve(call: Call): Hold | BudgetRefusal | Promise<Hold | BudgetRefusal> | undefined;
  /** A call's way through the stages inside is over, with these attempts. */
  over(hold: Hold, attempts: readonly Attempt[]): void;
  /** Counts what a record says. Every record exactly once. */
  charge(record: UsageRecord, call: Call, attempt: Attempt | undefined): void;
  /** What is left of the tightest budgets of a call, as headers of its answer. */
  headersFor(call: Call): Readonly<Record<string, string>>;
  /** The fullest first, 1000 at most. */
  snapshot(): readonly BudgetSnapshot[];
  /** Refuses everybody who waits. */
  close(): void;
}

export function createBudgets(config: BudgetsConfig): Budgets {
  const { clock, onPassed } = config;
  const rules = config.rules.map(compileBudget);
  const kept = new LimiterStore<Budget>();
  const known = new SubjectCache<readonly Budget[]>(rules.map(({ looks }) => looks));
  const ratesOf = createRates(config.prices);
  const sizes = new LRUCache<string, ModelSizes>({ max: MAX_MODELS });
  /** Of attempts that may still be charged. */
  const holds = new WeakMap<Attempt, Hold>();
  const charged = new WeakSet<Attempt>();
  /** By the call's id, which a call that stands for several has too. Until it is released. */
  const holdOf = new Map<string, Hold>();
  const waiting = createWaiting({
    clock,
    alarm: config.alarm,
    ask: ({ id }, asking) => ask(id, asking),
  });
  const wake = (budget: Budget): void => {
    waiting.wake(budget);
  };
  const openPurse =
    config.pools === undefined ? openLocalPurse : sharedPurses(config.pools, clock, wake);

  function budgetsOf(subject: LimitSubject): readonly Budget[] {
    return known.get(subject, () =>
      rules.filter((rule) => rule.matches(subject)).map((rule) => budgetOf(rule, subject)),
    );
  }

  function budgetOf(rule: CompiledBudget, subject: LimitSubject): Budget {
    const key = rule.keyOf(subject);
    const create = (): Budget => new Budget(rule, key, rule.labelOf(subject), openPurse);
    return kept.get(key, create, clock.wallNow());
  }

  /** `undefined` where no budget can refuse it. */
  function askingOf(call: Call): Asking | undefined {
    const { endpoint, method } = call;
    // What asks for no answer, or for one that was paid for already, costs nothing.
    if (endpoint.wire === undefined || method !== 'POST') return undefined;
    const budgets = budgetsOf(subjectOf(call)).filter(({ rule }) => rule.settings.isHard);
    if (budgets.length === 0) return undefined;
    const model = call.model ?? '';
    const { inputTokens, maxOutputTokens } = demandOf(call);
    const isPartial = namesStoredInput(call);
    return {
      budgets,
      size: { estimate: inputTokens, maxOutput: maxOutputTokens, isPartial },
      sizes: sizesOf(`${endpoint.provider}\n${model}\n${String(isPartial)}`, call.context.tenant),
      rates: ratesOf({
        provider: endpoint.provider,
        model,
        serviceTier: call.json?.string('service_tier'),
        isLong: inputTokens > LONG_INPUT,
        at: clock.wallNow(),
      }),
      canClamp: canClamp(call),
    };
  }

  /** Of a tenant, over those of all tenants. */
  function sizesOf(key: string, tenant: string | undefined): ModelSizes {
    let ofAll = sizes.get(key);
    if (ofAll === undefined) sizes.set(key, (ofAll = new ModelSizes()));
    if (tenant === undefined) return ofAll;
    const ofTenant = `${key}\n${tenant}`;
    let known = sizes.get(ofTenant);
    if (known === undefined) sizes.set(ofTenant, (known = new ModelSizes(ofAll)));
    return known;
  }

  function ask(
    callId: string,
    asking: Asking,
  ): Hold | BudgetRefusal | { readonly blockedBy: Budget } {
    const answer = admit(asking, clock.wallNow());
    if ('why' in answer || 'blockedBy' in answer) return answer;
    const released = (budget: Budget): void => {
      if (holdOf.get(callId)?.isReleased === true) holdOf.delete(callId);
      wake(budget);
    };
    const hold = new Hold(answer.takings, answer.reservation, answer.maxOutput, released);
    holdOf.set(callId, hold);
    return hold;
  }

  function count(
    budget: Budget,
    record: UsageRecord,
    attempt: Attempt | undefined,
    hold: Hold | undefined,
  ): void {
    const taking = hold?.takingOf(budget);
    const open = taking?.open ?? budget.open(clock.wallNow());
    const reserved = hold && taking && { ...hold.reservation, usd: taking.usd };
    const { settings } = budget.rule;
    const charge = chargeOf(record, isBilled(attempt, record.outcome), settings.fallback, reserved);
    if (charge.isUncounted) open.uncounted++;
    open.usd?.settle(0n, charge.usd);
    open.tokens?.settle(0n, charge.tokens);
    for (const share of budget.passed(open)) onPassed({ ...budget.snapshot(open), share });
    wake(budget);
  }

  return {
    reserve(call) {
      const asking = askingOf(call);
      if (asking === undefined) return undefined;
      const earlier = holdOf.get(call.id);
      // It must not wait for itself.
      if (earlier !== undefined && !earlier.isSpent) {
        earlier.again();
        return earlier;
      }
      const answer = ask(call.id, asking);
      return 'blockedBy' in answer ? waiting.wait(call, asking, answer.blockedBy) : answer;
    },
    over(hold, attempts) {
      const pending = attempts.filter((attempt) => !charged.has(attempt));
      for (const attempt of pending) holds.set(attempt, hold);
      hold.over(pending);
    },
    charge(record, call, attempt) {
      const hold = attempt && holds.get(attempt);
      if (attempt !== undefined) charged.add(attempt);
      try {
        for (const budget of budgetsOf(subjectIn(record, call)))
          count(budget, record, attempt, hold);
        if (hold !== undefined && attempt !== undefined) learn(hold, record);
      } catch {
        // A fault in here costs the charge, never the call.
      } finally {
        if (attempt !== undefined) hold?.charged(attempt);
      }
    },
    headersFor(call) {
      if (call.endpoint.wire === undefined) return NO_HEADERS;
      return remaining(budgetsOf(subjectOf(call)), clock.wallNow());
    },
    snapshot() {
      const now = clock.wallNow();
      const used: BudgetSnapshot[] = [];
      for (const budget of kept.values()) {
        if (!budget.isIdle(now)) used.push(budget.snapshot(budget.open(now)));
      }
      return used.sort((a, b) => b.usedShare - a.usedShare).slice(0, MAX_SHOWN);
    },
    close() {
      waiting.close();
    },
  };
}

/** Kept of each provider, model and tenant. */
const MAX_MODELS = 10_000;
const MAX_SHOWN = 1000;
/** Estimated tokens from which on the price of long contexts may apply. */
const LONG_INPUT = 30_000;
const NO_HEADERS = {};

const openLocalPurse: OpenPurse = ({ rule: { settings } }, unit): Purse =>
  new LocalPurse((unit === 'usd' ? settings.maxUsd : settings.maxTokens) ?? 0n);

function subjectOf({ endpoint, account, model, context }: Call): LimitSubject {
  const { tenant, user, tags } = context;
  return { provider: endpoint.provider, account, model: model ?? '', tenant, user, tags };
}

/** Whoever pays may be another call than the one that reserved: the record knows. */
function subjectIn(record: UsageRecord, { account }: Call): LimitSubject {
  const { provider, requestModel, context } = record;
  const { tenant, user, tags } = context;
  return { provider, account, model: requestModel ?? '', tenant, user, tags };
}

function learn({ reservation }: Hold, { usage, cost, outcome }: UsageRecord): void {
  const total = picoDollars(cost.usd);
  const output = picoDollars(cost.outputUsd);
  reservation.sizes.learn(reservation, {
    input: usage.inputTokens.total,
    output: usage.outputTokens.total,
    inputPico: total === undefined ? undefined : total - (output ?? 0n),
    outputPico: output,
    isWhole: outcome === 'ok',
  });
}

/** What is not spent; what is reserved may come back. */
function remaining(budgets: readonly Budget[], now: number): Readonly<Record<string, string>> {
  let dollars: bigint | undefined;
  let tokens: bigint | undefined;
  for (const budget of budgets) {
    const open = budget.open(now);
    dollars = lesser(dollars, open.usd);
    tokens = lesser(tokens, open.tokens);
  }
  const headers: Record<string, string> = {};
  if (dollars !== undefined) headers['x-tokenrouter-budget-remaining-usd'] = usd(dollars);
  if (tokens !== undefined) headers['x-tokenrouter-budget-remaining-tokens'] = String(tokens);
  return headers;
}

function lesser(least: bigint | undefined, purse: Purse | undefined): bigint | undefined {
  if (purse === undefined) return least;
  const left = purse.spent < purse.limit ? purse.limit - purse.spent : 0n;
  return least === undefined || left < least ? left : least;
}
