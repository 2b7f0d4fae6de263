import type { Call } from '../call.ts';
import type { Alarm, AlarmHandle } from '../schedule/types.ts';
import type { Clock } from '../types.ts';
import type { Asking } from './asking.ts';
import type { Budget } from './budget.ts';
import type { Hold } from './hold.ts';
import type { BudgetRefusal } from './refusal.ts';

export interface WaitingConfig {
  readonly clock: Clock;
  readonly alarm: Alarm;
  /** Whether a call may go now. */
  readonly ask: (
    call: Call,
    asking: Asking,
  ) => Hold | BudgetRefusal | { readonly blockedBy: Budget };
}

/** Calls that wait for what others have reserved. */
export interface Waiting {
  /** Resolves when it may go or is refused. Rejects with the signal's reason when its caller gives up. */
  wait(call: Call, asking: Asking, blockedBy: Budget): Promise<Hold | BudgetRefusal>;
  /** Something has changed in a budget: asks again for those who wait for it, shortly. */
  wake(budget: Budget): void;
  /** Refuses all. */
  close(): void;
}

/** One call that waits. */
export interface Waiter {
  /** In the order of arrival. */
  readonly sequence: number;
  /** Asks again. Whoever stands in its way then, if anybody does. */
  ask(): Budget | undefined;
  refuse(refusal: BudgetRefusal): void;
  readonly isOver: boolean;
}

/**
 * A budget's calls wait in one line, in the order in which they came; those behind pass when they fit, so that a large call does
 * not keep small ones from what it cannot have. Each waits as long as its budgets and its deadline allow, and is asked again
 * when a call of the same budget is settled, and when the window is over.
 */
export function createWaiting({ clock, alarm, ask }: WaitingConfig): Waiting {
  const everybody = new Set<Waiter>();
  let isClosed = false;

  function join(waiter: Waiter, { line }: Budget): void {
    let place = line.length;
    while (place > 0 && line[place - 1]!.sequence > waiter.sequence) place--;
    line.splice(place, 0, waiter);
  }

  function remove(waiter: Waiter, { line }: Budget): void {
    const place = line.indexOf(waiter);
    if (place >= 0) line.splice(place, 1);
  }

  function wake(budget: Budget): void {
    if (budget.isWaking || budget.line.length === 0) return;
    budget.isWaking = true;
    queueMicrotask(() => {
      budget.isWaking = false;
      askAll(budget);
    });
  }

  function askAll(budget: Budget): void {
    const { line } = budget;
    budget.line = [];
    let inVain = 0;
    for (const waiter of line) {
      if (waiter.isOver) continue;
      const blockedBy = inVain < LOOKS ? waiter.ask() : budget;
      if (blockedBy === undefined) continue;
      join(waiter, blockedBy);
      if (blockedBy === budget) inVain++;
    }
  }

  return {
    wait(call, asking, blockedBy) {
      const { signal, context } = call;
      if (signal?.aborted === true) return Promise.reject(signal.reason);
      const began = clock.now();
      const patience = call.startedAt + maxWaitMs(asking);
      const deadline =
        context.deadlineMs === undefined ? Infinity : call.startedAt + context.deadlineMs;
      const refusedLate = (budget: Budget): BudgetRefusal =>
        deadline <= patience
          ? { why: 'deadline' }
          : { why: 'reserved', budget, open: budget.open(clock.wallNow()) };
      if (isClosed) return Promise.resolve({ why: 'closed' });
      if (began >= patience || began >= deadline || blockedBy.line.length >= MAX_LINE) {
        return Promise.resolve(refusedLate(blockedBy));
      }
      call.queuedSince = began;
      return new Promise((resolve, reject) => {
        let bell: AlarmHandle | undefined;
        let standsAt = blockedBy;
        let isOver = false;
        const leave = (): void => {
          isOver = true;
          everybody.delete(waiter);
          alarm.clear(bell);
          signal?.removeEventListener('abort', onAbort);
          call.queuedMs += clock.now() - began;
          call.queuedSince = undefined;
        };
        const give = (refusal: BudgetRefusal): void => {
          remove(waiter, standsAt);
          leave();
          resolve(refusal);
        };
        const onAbort = (): void => {
          remove(waiter, standsAt);
          leave();
          reject(signal?.reason);
        };
        const waiter: Waiter = {
          sequence: call.sequence,
          get isOver() {
            return isOver;
          },
          ask() {
            const answer = ask(call, asking);
            if ('blockedBy' in answer) return (standsAt = answer.blockedBy);
            leave();
            resolve(answer);
            return undefined;
          },
          refuse: give,
        };
        const ring = (): void => {
          if (clock.now() >= Math.min(patience, deadline)) {
            give(refusedLate(standsAt));
            return;
          }
          wake(standsAt);
          setBell();
        };
        const setBell = (): void => {
          const resetsMs = standsAt.open(clock.wallNow()).endsAt - clock.wallNow();
          bell = alarm.set(Math.min(patience, deadline, clock.now() + Math.max(1, resetsMs)), ring);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        everybody.add(waiter);
        join(waiter, blockedBy);
        setBell();
      });
    },
    wake,
    close() {
      isClosed = true;
      for (const waiter of everybody) waiter.refuse({ why: 'closed' });
    },
  };
}

/** As long as the least patient of its budgets says. */
function maxWaitMs({ budgets }: Asking): number {
  return Math.min(...budgets.map(({ rule }) => rule.settings.maxWaitMs));
}

/** How many of a line are asked at once whom it does not help: what one settlement leaves is soon gone. */
const LOOKS = 64;
/** Who comes after so many is refused at once. */
const MAX_LINE = 100_000;
