import type { RouterErrorCode } from '../errors.ts';
import type { Refusal } from '../http/refusal.ts';
import type { CallContext } from '../types.ts';
import type { ScheduleSettings } from './settings.ts';

/** A call that is not to be sent. */
interface Refused {
  readonly queuedMs: number;
  readonly context: Pick<CallContext, 'priority' | 'deadlineMs'>;
}

/** What a call that did not get its turn is told: what was expected, what came, what to do. */
export function refusalOf(
  code: RouterErrorCode,
  { queuedMs, context }: Refused,
  settings: ScheduleSettings,
): Refusal {
  switch (code) {
    case 'ERR_QUEUE_FULL':
      return {
        code,
        status: 503,
        message: `As many calls wait for this provider and model as may (schedule.maxQueue: ${settings.maxQueue}); send fewer at once, or raise it.`,
      };
    case 'ERR_QUEUE_TIMEOUT':
      return {
        code,
        status: 503,
        message: `The call, of ${context.priority ?? 'normal'} priority, waited ${Math.round(queuedMs)} ms for its turn, as long as it may (schedule.maxWaitMs, for low priority schedule.lowMaxWaitMs).`,
      };
    case 'ERR_DEADLINE':
      return {
        code,
        status: 504,
        message: `The head of the answer cannot be there, or is not there, within the call's deadline of ${context.deadlineMs ?? 0} ms.`,
      };
    default:
      return { code, status: 503, message: 'The router was closed while this call was waiting.' };
  }
}
