import type { Attempt, Call } from '../call.ts';
import type { Budgets } from '../budgets/budgets.ts';
import { clampOutput } from '../budgets/clamp.ts';
import { Hold } from '../budgets/hold.ts';
import { type BudgetRefusal, budgetRefusal } from '../budgets/refusal.ts';
import { refuse } from '../http/refusal.ts';
import { routerHeaders } from '../http/router-headers.ts';
import type { Next, Stage } from '../stage.ts';
import type { Clock } from '../types.ts';

export interface BudgetOptions {
  readonly clock: Clock;
  /** `undefined` where there are none. */
  readonly budgets?: Budgets | undefined;
}

/**
 * Reserves what a call may cost before anything is sent, waits while others have reserved what is left, and refuses what no
 * budget has left. The reservation stays until every attempt of the call is charged.
 */
export function budget({ clock, budgets }: BudgetOptions): Stage {
  return {
    name: 'budget',
    handle: function budget(call: Call, next: Next): Promise<Response> {
      if (budgets === undefined) return next(call);
      const answer = reserve(budgets, call);
      return answer === undefined ? next(call) : go(budgets, call, answer, next);
    },
  };

  async function go(
    all: Budgets,
    call: Call,
    answer: Answer | Promise<Answer>,
    next: Next,
  ): Promise<Response> {
    call.refusal = undefined;
    const hold = answer instanceof Promise ? await answer : answer;
    if (!(hold instanceof Hold)) return refused(call, hold);
    const before = call.attempts.length === 0 ? NONE : new Set(call.attempts);
    try {
      if (call.cutBy !== undefined) throw call.cutBy;
      if (hold.maxOutput !== undefined) clampOutput(call, hold.maxOutput);
      return await next(call);
    } finally {
      all.over(
        hold,
        call.attempts.filter((attempt) => !before.has(attempt)),
      );
    }
  }

  function refused(call: Call, why: BudgetRefusal): Response {
    const { refusal, headers } = budgetRefusal(why, clock.wallNow());
    call.refusal = refusal.code;
    return refuse(call.endpoint.api, refusal, {
      ...headers,
      ...routerHeaders(call, call.attempts.length),
    });
  }
}

type Answer = Hold | BudgetRefusal;

const NONE: ReadonlySet<Attempt> = new Set();

/** A fault in a budget costs the budget, never the call. */
function reserve(budgets: Budgets, call: Call): Answer | Promise<Answer> | undefined {
  try {
    return budgets.reserve(call);
  } catch {
    return undefined;
  }
}
