import type { Account, Attempt, Call } from '../../call.ts';
import { accountOf, type AccountOptions } from './account.ts';

/**
 * What a call is charged for an attempt. Of a shared answer the leader pays everything and the others nothing, so that the
 * costs of all records add up to what was paid; theirs say what that saved.
 */
export function shareOfAccount(
  options: AccountOptions,
  call: Call,
  attempt: Attempt | undefined,
): Account | Promise<Account> {
  const share = attempt?.share;
  if (attempt === undefined || share === undefined) return accountOf(options, call, attempt);
  if (share.role === 'leader') return accountOnce(options, call, attempt);
  const { answer, bill } = share;
  if (answer === undefined) return nothing(bill?.usd);
  const paid = accountOnce(options, call, answer);
  return paid instanceof Promise
    ? paid.then(({ cost }) => nothing(cost.usd))
    : nothing(paid.cost.usd);
}

/** Whoever asks first has it made: the leader may take longer to get its answer through its middleware than the others. */
function accountOnce(
  options: AccountOptions,
  call: Call,
  attempt: Attempt,
): Account | Promise<Account> {
  if (attempt.account !== undefined) return attempt.account;
  const account = accountOf(options, call, attempt);
  attempt.account = account;
  const { bill } = attempt;
  if (bill !== undefined) {
    if (account instanceof Promise) void account.then(({ cost }) => (bill.usd = cost.usd));
    else bill.usd = account.cost.usd;
  }
  return account;
}

/** Known to be nothing, unlike what is unknown. */
function nothing(savedUsd: string | null | undefined): Account {
  return {
    usage: { inputTokens: {}, outputTokens: {}, grade: 'none' },
    cost: { usd: '0', price: 'exact' },
    saved: savedUsd == null ? {} : { dedupeUsd: savedUsd },
    cache: undefined,
  };
}
