import { setImmediate } from 'node:timers/promises';
import type { Account, Attempt, Call } from '../../call.ts';
import type { PriceBook } from '../../pricing/price-book.ts';
import { estimateUsage } from '../../tokens/estimate-usage.ts';
import type { TokenCounter } from '../../tokens/token-counter.ts';
import type { Cost, TokenUsage, UsageRecord } from '../../types.ts';

export interface AccountOptions {
  readonly prices: PriceBook;
  readonly counter: TokenCounter;
}

/**
 * The account of an attempt: at once from what its provider reported, later where tokens have to be counted. A fault in
 * here (also of a user's adapter) costs the account, never the call.
 */
export function accountOf(
  options: AccountOptions,
  call: Call,
  attempt: Attempt | undefined,
): Account | Promise<Account> {
  try {
    const reported = reportedUsage(attempt);
    if (attempt === undefined || !needsEstimate(attempt, reported)) {
      return priced(options, call, attempt, reported);
    }
    return estimated(options, attempt, reported)
      .catch(() => reported)
      .then((usage) => priced(options, call, attempt, usage))
      .catch(unknown);
  } catch {
    return unknown();
  }
}

function reportedUsage(attempt: Attempt | undefined): TokenUsage {
  return attempt?.usage() ?? unknownUsage();
}

/** An answer that was given but of which its provider said nothing, or could not say the last word. */
function needsEstimate(attempt: Attempt, reported: TokenUsage): boolean {
  if (attempt.tap === undefined || attempt.status === undefined || attempt.status >= 400)
    return false;
  if (attempt.asked.json === undefined || attempt.tap.bytes === 0) return false;
  if (attempt.facts.usageOf !== undefined) return false;
  // An error in place of an answer costs nothing; one in mid-stream comes after tokens that do.
  return isCut(attempt) || (reported.grade === 'none' && attempt.facts.error === undefined);
}

/** A stream that was left, aborted or cut before its end. */
function isCut(attempt: Attempt): boolean {
  return attempt.tap?.isStream === true && attempt.facts.complete !== true;
}

async function estimated(
  { counter }: AccountOptions,
  attempt: Attempt,
  reported: TokenUsage,
): Promise<TokenUsage> {
  // The host gets its answer first; counting is nobody's concern but the record's.
  await setImmediate();
  const { tap, facts } = attempt;
  const { text, share } = tap!.outputText();
  if (text === '' && facts.error !== undefined) return reported;
  // No text in a stream that was seen whole is no text; in anything else it could not be read, and is not 0.
  const isReadable = text !== '' || (tap!.isStream && share === 1);
  const usage = await estimateUsage({
    counter,
    // What a stream reports before its end is a placeholder (Anthropic) or a part (Gemini): a lower bound.
    reported: isCut(attempt) ? unfinished(reported) : reported,
    requestBody: attempt.asked.json?.source,
    model: facts.model ?? attempt.asked.model,
    outputText: text,
    outputShare: isReadable ? share : 0,
  });
  const { total } = usage.outputTokens;
  const floor = reported.outputTokens.total;
  if (total === undefined || floor === undefined || total >= floor) return usage;
  return { ...usage, outputTokens: reported.outputTokens };
}

function unfinished(reported: TokenUsage): TokenUsage {
  return {
    ...reported,
    outputTokens: {},
    grade: reported.grade === 'none' ? 'none' : 'partial',
  };
}

function priced(
  { prices }: AccountOptions,
  call: Call,
  attempt: Attempt | undefined,
  usage: TokenUsage,
): Account {
  // The cost of an earlier call's usage stands in that call's record.
  if (attempt?.facts.usageOf === 'earlier') return { ...unpriced(), usage, cache: undefined };
  const asked = attempt?.asked ?? call;
  const query = {
    provider: asked.endpoint.provider,
    model: attempt?.facts.model,
    requestModel: asked.model,
    at: call.startedEpochMs,
    serviceTier: attempt?.facts.serviceTier,
    hasOtherCharges: attempt?.facts.hasOtherCharges,
    usage,
  };
  const priced = prices.cost(query);
  return { usage, ...priced, cache: cacheOf(attempt, usage, priced.cost) };
}

/** Only of an answer: a refused request has neither read nor written. */
function cacheOf(
  attempt: Attempt | undefined,
  usage: TokenUsage,
  cost: Cost,
): UsageRecord['cache'] {
  if (attempt?.status === undefined || attempt.status >= 400) return undefined;
  try {
    return attempt.asked.cacheAccount?.settle(usage, cost);
  } catch {
    return undefined;
  }
}

/** New objects each time: records are handed out, and must not share what somebody may change. */
function unpriced(): Pick<Account, 'cost' | 'saved'> {
  return { cost: { usd: null, price: 'unpriced' }, saved: {} };
}

function unknown(): Account {
  return { ...unpriced(), usage: unknownUsage(), cache: undefined };
}

function unknownUsage(): TokenUsage {
  return { inputTokens: {}, outputTokens: {}, grade: 'none' };
}
