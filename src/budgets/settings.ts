import { z } from 'zod';
import type { LimitMatch } from '../limits/settings.ts';
import type { UsdPerMTok } from '../pricing/overrides.ts';
import { picoDollars } from '../util/usd.ts';

/** What a budget counts separately for. `key`: the credentials of the request, as a short hash of them. */
export type BudgetDimension = 'tenant' | 'user' | 'key' | 'model' | 'provider' | `tag:${string}`;

/** Which calls a budget is for: those that fit all that is named here. */
export interface BudgetMatch extends LimitMatch {
  /** The short hash of the request's credentials, as `snapshot()` names accounts. */
  key?: string | undefined;
}

/** What tokens of models without a known price count. */
export interface FallbackPrice {
  /** US dollars per million input tokens, cached or not. */
  inputUsdPerMTok: UsdPerMTok;
  /** US dollars per million output tokens. */
  outputUsdPerMTok: UsdPerMTok;
}

/**
 * One rule of `createRouter({ budgets })`. Every rule that matches a call applies to it.
 *
 * What a call may cost is reserved before it is sent, and what its records say is counted when it is over. So at no time more
 * is spent than the budget and one call.
 */
export interface BudgetRule {
  /** What messages and `snapshot()` call it. Default: its place in the list, `budgets[0]`. */
  name?: string | undefined;
  /** Which calls it is for. Default: all. */
  match?: BudgetMatch | undefined;
  /**
   * Each combination of these has the whole budget for itself; `[]`: all calls that match share one. Calls that lack one (no
   * tenant) share one too. Default: `[]`.
   */
  per?: readonly BudgetDimension[] | undefined;
  /** A calendar day or month in UTC, or so many milliseconds, counted from 1970-01-01T00:00Z. */
  window: 'day' | 'month' | { ms: number };
  /** US dollars in a window, with at most twelve decimals. A string is exact. Default: no limit. */
  maxUsd?: number | string | undefined;
  /** Input and output tokens in a window, cached ones included. Default: no limit. */
  maxTokens?: number | undefined;
  /** `report`: no call is refused or waits, it is only counted. Default: `reject`. */
  whenExceeded?: 'reject' | 'report' | undefined;
  /**
   * Calls of models whose price nobody knows: refused where `maxUsd` is set and `whenExceeded` is `reject`, or counted at this
   * price. Default: `reject`.
   */
  unpriced?: 'reject' | FallbackPrice | undefined;
  /** Lowers the request's bound on its answer to what is left, or sets one. Default: false. */
  clampMaxTokens?: boolean | undefined;
  /** How long a call waits for what others have reserved, in milliseconds. Default: 300 000. */
  maxWaitMs?: number | undefined;
}

/** The same with its defaults, in the units that are counted. */
export interface BudgetSettings {
  readonly window: BudgetRule['window'];
  /** Pico-dollars. */
  readonly maxUsd: bigint | undefined;
  readonly maxTokens: bigint | undefined;
  /** Refuses what does not fit. */
  readonly isHard: boolean;
  /** Pico-dollars per token. */
  readonly fallback: { readonly input: bigint; readonly output: bigint } | undefined;
  readonly clamps: boolean;
  readonly maxWaitMs: number;
}

const MAX_WAIT_MS = 300_000;

export function budgetSettings(rule: BudgetRule): BudgetSettings {
  const { unpriced = 'reject' } = rule;
  return {
    window: rule.window,
    maxUsd: picoOf(rule.maxUsd),
    maxTokens: rule.maxTokens === undefined ? undefined : BigInt(rule.maxTokens),
    isHard: rule.whenExceeded !== 'report',
    fallback:
      unpriced === 'reject'
        ? undefined
        : { input: rateOf(unpriced.inputUsdPerMTok), output: rateOf(unpriced.outputUsdPerMTok) },
    clamps: rule.clampMaxTokens ?? false,
    maxWaitMs: rule.maxWaitMs ?? MAX_WAIT_MS,
  };
}

const PER_MTOK = 1_000_000n;

/** Six decimals a million tokens are whole pico-dollars a token. */
function rateOf(price: UsdPerMTok): bigint {
  return (picoOf(price) ?? 0n) / PER_MTOK;
}

function picoOf(usd: number | string | undefined): bigint | undefined {
  return usd === undefined ? undefined : picoDollars(decimalOf(usd));
}

/** Small and large numbers print with an exponent. */
function decimalOf(usd: number | string): string {
  if (typeof usd === 'string') return usd;
  const text = String(usd);
  return text.includes('e') ? usd.toFixed(text.includes('e-') ? 12 : 0) : text;
}

const name = z.string().min(1);
const pattern = name.regex(/^\*?[^*]*\*?$/, 'Invalid input: expected * only at the start or end');
const dollars = z.union([z.number(), z.string()]).refine((usd) => isAmount(usd), {
  error: 'Invalid input: expected US dollars: 0 or more, at most twelve decimals',
});
const price = z.union([z.number(), z.string()]).refine((usd) => isPrice(usd), {
  error: 'Invalid input: expected US dollars per million tokens: 0 or more, at most six decimals',
});
const dimension = z.custom<BudgetDimension>(
  (value) =>
    typeof value === 'string' && /^(?:tenant|user|key|model|provider|tag:.+)$/s.test(value),
  { error: 'Invalid input: expected tenant, user, key, model, provider or tag:<name>' },
);

const rule: z.ZodType<BudgetRule> = z
  .strictObject({
    name: name.optional(),
    match: z
      .strictObject({
        provider: pattern.optional(),
        model: pattern.optional(),
        tenant: name.optional(),
        user: name.optional(),
        tag: z.record(name, z.string()).optional(),
        key: name.optional(),
      })
      .optional(),
    per: z.array(dimension).optional(),
    window: z.union([
      z.enum(['day', 'month']),
      z.strictObject({ ms: z.int().min(1).max(31_622_400_000) }),
    ]),
    maxUsd: dollars.optional(),
    maxTokens: z.int().min(0).optional(),
    whenExceeded: z.enum(['reject', 'report']).optional(),
    unpriced: z
      .union([
        z.literal('reject'),
        z.strictObject({ inputUsdPerMTok: price, outputUsdPerMTok: price }),
      ])
      .optional(),
    clampMaxTokens: z.boolean().optional(),
    maxWaitMs: z.number().min(0).max(2_147_483_647).optional(),
  })
  .refine((given) => given.maxUsd !== undefined || given.maxTokens !== undefined, {
    error: 'Invalid input: expected maxUsd or maxTokens, a budget without either does nothing',
  });

export const budgetsSchema: z.ZodType<readonly BudgetRule[]> = z
  .array(rule)
  .refine((rules) => new Set(rules.map(nameOfBudget)).size === rules.length, {
    error: 'Invalid input: expected a name of its own for each budget',
  });

/** What a budget is called, and told apart by. */
export function nameOfBudget({ name }: BudgetRule, index: number): string {
  return name ?? `budgets[${index}]`;
}

function isAmount(usd: number | string): boolean {
  const pico = picoOf(usd);
  return pico !== undefined && pico >= 0n && pico <= MOST_PICO;
}

function isPrice(usd: number | string): boolean {
  return isAmount(usd) && picoOf(usd)! % PER_MTOK === 0n;
}

/** A billion dollars: typing errors are larger. */
const MOST_PICO = 10n ** 21n;
