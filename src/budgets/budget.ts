import type { Counting } from '../limits/rules/limiter-store.ts';
import { usd } from '../util/usd.ts';
import type { Purse } from './purse.ts';
import type { CompiledBudget } from './rules.ts';
import type { Waiter } from './waiting.ts';
import { type BudgetWindow, nameOfWindow, windowAt } from './window.ts';

/** A budget as `router.snapshot()` shows it. Dollars are exact decimal strings. */
export interface BudgetSnapshot {
  readonly name: string;
  /** `day`, `month`, or so many milliseconds (`3600000 ms`). */
  readonly window: string;
  /** What it counts separately for (`tenant=acme`); absent where all calls share it. */
  readonly key?: string | undefined;
  readonly limitUsd?: string | undefined;
  readonly spentUsd: string;
  /** By calls under way. */
  readonly reservedUsd: string;
  readonly limitTokens?: number | undefined;
  readonly spentTokens: number;
  readonly reservedTokens: number;
  /** Share of the limit that is spent, of the fuller one where it has two; may exceed 1. */
  readonly usedShare: number;
  /** Answers of unknown cost that could not be counted. */
  readonly uncounted: number;
  /** When the next window begins, ISO 8601. */
  readonly resetsAt: string;
}

/** A budget has passed a share of its limit, for the first time in its window. */
export interface BudgetPassed extends BudgetSnapshot {
  readonly share: 0.5 | 0.8 | 0.9 | 1;
}

/** What is counted in one window. Who reserved in it settles in it, also when it is over. */
export interface OpenWindow extends BudgetWindow {
  /** Pico-dollars; `undefined` without a limit. */
  readonly usd: Purse | undefined;
  readonly tokens: Purse | undefined;
  /** How many of `SHARES` it has passed. */
  passed: number;
  uncounted: number;
}

export type OpenPurse = (budget: Budget, unit: 'usd' | 'tokens', window: BudgetWindow) => Purse;

const SHARES = [0.5, 0.8, 0.9, 1] as const;

/** One rule for one combination of what it counts separately for. */
export class Budget implements Counting {
  readonly rule: CompiledBudget;
  /** The same for everybody who shares it. */
  readonly key: string;
  readonly label: string | undefined;
  /** Calls that wait because of it, in the order in which they came. */
  line: Waiter[] = [];
  /** Whether those who wait are about to be asked again. */
  isWaking = false;
  /** Calls that hold a part of it. */
  holds = 0;
  readonly #openPurse: OpenPurse;
  #open: OpenWindow | undefined;

  constructor(rule: CompiledBudget, key: string, label: string | undefined, openPurse: OpenPurse) {
    this.rule = rule;
    this.key = key;
    this.label = label;
    this.#openPurse = openPurse;
  }

  /** The window of now, in milliseconds since the epoch. A clock that is set back does not open an old one again. */
  open(now: number): OpenWindow {
    const open = this.#open;
    if (open !== undefined && now < open.endsAt) return open;
    const { settings } = this.rule;
    const window = windowAt(settings.window, now);
    return (this.#open = {
      ...window,
      usd: settings.maxUsd === undefined ? undefined : this.#openPurse(this, 'usd', window),
      tokens:
        settings.maxTokens === undefined ? undefined : this.#openPurse(this, 'tokens', window),
      passed: 0,
      uncounted: 0,
    });
  }

  get inFlight(): number {
    return this.holds + this.line.length;
  }

  isIdle(now: number): boolean {
    const open = this.#open;
    if (this.inFlight > 0) return false;
    if (open === undefined || now >= open.endsAt) return true;
    return open.uncounted === 0 && isUnused(open.usd) && isUnused(open.tokens);
  }

  /** Shares of the limit that it has passed since it was last asked. */
  passed(open: OpenWindow): ReadonlyArray<(typeof SHARES)[number]> {
    const share = shareOf(open);
    const from = open.passed;
    while (open.passed < SHARES.length && share >= SHARES[open.passed]!) open.passed++;
    return SHARES.slice(from, open.passed);
  }

  snapshot(open: OpenWindow): BudgetSnapshot {
    const { name, settings } = this.rule;
    return {
      name,
      window: nameOfWindow(settings.window),
      key: this.label,
      limitUsd: open.usd && usd(open.usd.limit),
      spentUsd: usd(open.usd?.spent ?? 0n),
      reservedUsd: usd(open.usd?.reserved ?? 0n),
      limitTokens: open.tokens && Number(open.tokens.limit),
      spentTokens: Number(open.tokens?.spent ?? 0n),
      reservedTokens: Number(open.tokens?.reserved ?? 0n),
      usedShare: shareOf(open),
      uncounted: open.uncounted,
      resetsAt: new Date(open.endsAt).toISOString(),
    };
  }
}

function isUnused(purse: Purse | undefined): boolean {
  return purse === undefined || (purse.spent === 0n && purse.reserved === 0n);
}

/** Of the fuller limit. */
function shareOf({ usd: dollars, tokens }: OpenWindow): number {
  return Math.max(shareIn(dollars), shareIn(tokens));
}

function shareIn(purse: Purse | undefined): number {
  if (purse === undefined) return 0;
  return purse.limit === 0n ? 1 : Number(purse.spent) / Number(purse.limit);
}
