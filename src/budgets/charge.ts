import type { Attempt } from '../call.ts';
import { totalInput } from '../pricing/cost.ts';
import type { Outcome, UsageRecord } from '../types.ts';
import { picoDollars } from '../util/usd.ts';
import type { TokenRates } from './rates.ts';

/** What a record counts in a budget. */
export interface Charge {
  /** Pico-dollars. */
  readonly usd: bigint;
  readonly tokens: bigint;
  /** Something was billed, and nobody knows how much. */
  readonly isUncounted: boolean;
}

/** What was reserved for the call, where it was. */
export interface Reserved {
  readonly usd: bigint;
  readonly input: number;
  readonly output: number;
}

/**
 * What the record says. An answer whose cost it does not know counts at the fallback price, or as much as was reserved for it;
 * without an answer nothing counts.
 */
export function chargeOf(
  { cost, usage }: UsageRecord,
  isAnswered: boolean,
  fallback: TokenRates | undefined,
  reserved: Reserved | undefined,
): Charge {
  const known = picoDollars(cost.usd);
  const isUnknown = known === undefined && isAnswered;
  const isInputKnown = Object.values(usage.inputTokens).some((tokens) => tokens !== undefined);
  const guess = isUnknown ? reserved : undefined;
  const input = isInputKnown ? totalInput(usage) : (guess?.input ?? 0);
  const output = usage.outputTokens.total ?? guess?.output ?? 0;
  const [inputTokens, outputTokens] = [BigInt(input), BigInt(output)];
  const priced =
    fallback && isUnknown && (isInputKnown || guess !== undefined)
      ? inputTokens * fallback.input + outputTokens * fallback.output
      : undefined;
  return {
    usd: known ?? priced ?? guess?.usd ?? 0n,
    tokens: inputTokens + outputTokens,
    isUncounted: isUnknown && priced === undefined && guess === undefined,
  };
}

/** Whether an attempt was answered with something that is billed, and to this call. */
export function isBilled(attempt: Attempt | undefined, outcome: Outcome): boolean {
  if (attempt?.status === undefined || attempt.status >= 400) return false;
  if (attempt.share !== undefined && attempt.share.role !== 'leader') return false;
  return attempt.facts.usageOf === undefined && !ERRORS.has(outcome);
}

/** An error in place of an answer, or in it: what came before it has a usage. */
const ERRORS: ReadonlySet<Outcome> = new Set([
  'rate_limited',
  'overloaded',
  'client_error',
  'server_error',
]);
