import type { Refusal } from '../http/refusal.ts';
import { usd } from '../util/usd.ts';
import type { Budget, OpenWindow } from './budget.ts';
import { nameOfWindow } from './window.ts';

/** Why a call was not let through. */
export type BudgetRefusal =
  | {
      /** `reserved`: others had what is left, as long as the call could wait. */
      readonly why: 'spent' | 'reserved' | 'unpriced';
      readonly budget: Budget;
      readonly open: OpenWindow;
    }
  | { readonly why: 'deadline' | 'closed' };

/** What the caller is told. `now` is in milliseconds since the epoch. */
export function budgetRefusal(
  refusal: BudgetRefusal,
  now: number,
): { readonly refusal: Refusal; readonly headers: Readonly<Record<string, string>> } {
  switch (refusal.why) {
    case 'spent':
      return {
        refusal: {
          code: 'ERR_BUDGET_EXCEEDED',
          status: 429,
          message: `${spentIn(refusal.budget, refusal.open)} Raise it, or wait until then.`,
        },
        headers: {
          'retry-after': String(Math.max(1, Math.ceil((refusal.open.endsAt - now) / 1000))),
        },
      };
    case 'reserved':
      return {
        refusal: {
          code: 'ERR_BUDGET_EXCEEDED',
          status: 429,
          message: `${spentIn(refusal.budget, refusal.open)} Calls under way have reserved the rest for longer than this one may wait (maxWaitMs).`,
        },
        headers: {},
      };
    case 'unpriced':
      return {
        refusal: {
          code: 'ERR_BUDGET_UNPRICED',
          status: 403,
          message: `Nobody knows the price of this model, and the budget "${refusal.budget.rule.name}" must hold. Give one in the option \`prices\`, or say in the budget's \`unpriced\` what such calls count.`,
        },
        headers: {},
      };
    case 'deadline':
      return {
        refusal: {
          code: 'ERR_DEADLINE',
          status: 504,
          message: 'The deadline of the call came while it waited for a budget.',
        },
        headers: {},
      };
    case 'closed':
      return {
        refusal: {
          code: 'ERR_CLOSED',
          status: 503,
          message: 'The router was closed while this call was waiting.',
        },
        headers: {},
      };
  }
}

/** Names no tenant, user or key: a message goes further than a record. */
function spentIn({ rule }: Budget, { usd: dollars, tokens, endsAt }: OpenWindow): string {
  const { name, per, settings } = rule;
  const limits = [
    dollars && `${usd(dollars.spent)} of ${usd(dollars.limit)} US dollars`,
    tokens && `${tokens.spent} of ${tokens.limit} tokens`,
  ];
  const whose = per.length === 0 ? '' : ` per ${per.join(', ')}`;
  const spent = limits.filter((limit) => limit !== undefined).join(' and ');
  const resetsAt = new Date(endsAt).toISOString();
  return `The budget "${name}" (window: ${nameOfWindow(settings.window)}${whose}) has spent ${spent}; it resets at ${resetsAt}.`;
}
