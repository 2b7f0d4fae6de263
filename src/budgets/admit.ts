import type { Asking } from './asking.ts';
import type { Budget, OpenWindow } from './budget.ts';
import type { Taking } from './hold.ts';
import type { Purse } from './purse.ts';
import type { TokenRates } from './rates.ts';
import type { SizeReservation } from './sizes.ts';

/** Why a call may not go. */
export interface Refused {
  readonly why: 'spent' | 'unpriced';
  readonly budget: Budget;
  readonly open: OpenWindow;
}

/** It may go with these. */
export interface Granted {
  readonly takings: readonly Taking[];
  readonly reservation: SizeReservation;
  /** What its answer is to be limited to; `undefined`: as it is. */
  readonly maxOutput: number | undefined;
}

/** What others have reserved stands in its way. */
export interface Blocked {
  readonly blockedBy: Budget;
}

/**
 * Whether a call may go now, and with what of each of its budgets: all that it asks for, or nothing. Changes nothing. `now` is
 * in milliseconds since the epoch.
 */
export function admit(asking: Asking, now: number): Granted | Refused | Blocked {
  const reservation = reservationFor(asking, now);
  const { relies } = reservation;
  const takings: Taking[] = [];
  let blockedBy: Budget | undefined;
  let maxOutput = Infinity;
  for (const budget of asking.budgets) {
    const open = budget.open(now);
    const need = needOf(budget, open, reservation, asking.rates);
    if (need === undefined) return { why: 'unpriced', budget, open };
    const isAlone = budget.holds === 0;
    const usd = open.usd === undefined ? 0n : open.usd.offer(need.usd, isAlone, relies);
    const tokens = open.tokens === undefined ? 0n : open.tokens.offer(need.tokens, isAlone, relies);
    if (usd === 'spent' || tokens === 'spent') return { why: 'spent', budget, open };
    if (usd === 'wait' || tokens === 'wait') {
      blockedBy ??= budget;
      continue;
    }
    takings.push({ budget, open, usd, tokens });
    if (!asking.canClamp || !budget.rule.settings.clamps) continue;
    const fitting = outputIn(open, need, reservation);
    if (fitting < LEAST_OUTPUT) return { why: 'spent', budget, open };
    maxOutput = Math.min(maxOutput, fitting);
  }
  if (blockedBy !== undefined) return { blockedBy };
  return { takings, reservation, maxOutput: clampOf(maxOutput, asking.size.maxOutput) };
}

/**
 * All that the call may take, where its budgets have room for several such calls: then no answer of the size that was allowed for
 * can break them. Where they have not, what others took: else a few calls that allow far more than they take would keep out all
 * others.
 */
function reservationFor({ sizes, size, budgets, rates }: Asking, now: number): SizeReservation {
  if (size.maxOutput === undefined || size.isPartial) return sizes.reserve(size);
  const most = sizes.reserve(size, false);
  for (const budget of budgets) {
    const open = budget.open(now);
    const need = needOf(budget, open, most, rates);
    if (need === undefined) continue;
    if (open.usd !== undefined && need.usd * SEVERAL > open.usd.limit) return sizes.reserve(size);
    if (open.tokens !== undefined && need.tokens * SEVERAL > open.tokens.limit) {
      return sizes.reserve(size);
    }
  }
  return most;
}

const SEVERAL = 16n;

/** What a call may take of a budget, and what a token of it costs. */
interface Need {
  readonly usd: bigint;
  readonly tokens: bigint;
  readonly inputRate: bigint;
  readonly outputRate: bigint;
}

/** `undefined` where its price is not known, and neither what to count it at. */
function needOf(
  { rule }: Budget,
  open: OpenWindow,
  { input, output, relies, rates: seen }: SizeReservation,
  known: TokenRates | undefined,
): Need | undefined {
  const tokens = BigInt(input + output);
  if (open.usd === undefined) return { usd: 0n, tokens, inputRate: 0n, outputRate: 0n };
  const rates = known ?? rule.settings.fallback;
  if (rates === undefined) return undefined;
  const isSeen = seen !== undefined && known !== undefined;
  const inputRate = isSeen ? rateOf(rates.input, seen.input, relies) : rates.input;
  const outputRate = isSeen ? rateOf(rates.output, seen.output, relies) : rates.output;
  return {
    usd: BigInt(input) * inputRate + BigInt(output) * outputRate,
    tokens,
    inputRate,
    outputRate,
  };
}

/** What was seen may be dearer than the list says: a tier that the account has by default. */
function rateOf(listed: bigint, seen: number, relies: boolean): bigint {
  const rate = BigInt(Math.ceil(seen));
  return relies || rate > listed ? rate : listed;
}

/** How many tokens the answer may have to stay within what nobody else has. */
function outputIn(open: OpenWindow, need: Need, { likelyInput }: SizeReservation): number {
  const input = BigInt(likelyInput);
  let most = Infinity;
  if (open.tokens !== undefined) most = Number(freeIn(open.tokens) - input);
  if (open.usd !== undefined && need.outputRate > 0n) {
    const fitting = (freeIn(open.usd) - input * need.inputRate) / need.outputRate;
    most = Math.min(most, Number(fitting));
  }
  return most;
}

function freeIn({ limit, spent, reserved }: Purse): bigint {
  return limit - spent - reserved;
}

/**
 * The bound that a request is given; `undefined` where it stays as it is. One without a bound gets none that is so high that
 * a model might refuse it.
 */
function clampOf(most: number, allowed: number | undefined): number | undefined {
  return most < (allowed ?? SAFE_BOUND) ? most : undefined;
}

/** Every chat model takes it. */
const SAFE_BOUND = 4097;
/** Shorter than that is no answer. */
const LEAST_OUTPUT = 16;
