import type { Attempt, Call } from '../call.ts';
import { addHeader } from '../http/lazy-headers.ts';
import { isPlain } from '../http/read-request.ts';
import { retryDecision, type RetryDecision } from '../retry/retry-decision.ts';
import type { RetrySettings } from '../retry/settings.ts';
import type { Alarm } from '../schedule/types.ts';
import type { Next, Stage } from '../stage.ts';
import type { Clock, Random } from '../types.ts';

export interface RetryStageOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly alarm: Alarm;
  /** As they are now. */
  readonly retrySettings: () => RetrySettings;
  /** Whether the limits that a call falls under hold its next request back once one was refused for its rate. */
  readonly isPaced: (call: Call) => boolean;
}

/** The body of a refusal is small and there at once. One that takes longer goes to the host as it comes. */
const MAX_WAIT_FOR_BODY_MS = 2000;

const LEAVE: RetryDecision = { next: 'leave' };

/**
 * Asks again where that may help: after refusals for the rate, overload, failures and network errors, as long as nothing has
 * reached the host and the body can be sent once more. What it says of load is known when a refusal's body has told why.
 */
export function retry(options: RetryStageOptions): Stage {
  const { clock, random, alarm, retrySettings, isPaced } = options;
  return {
    name: 'retry',
    handle: function retry(call: Call, next: Next): Promise<Response> {
      const settings = retrySettings();
      return settings.maxAttempts === 1 ? next(call) : attempts(call, next, settings);
    },
  };

  async function attempts(call: Call, next: Next, settings: RetrySettings): Promise<Response> {
    for (let number = 1; ; number++) {
      const sent = call.attempts.length;
      call.attemptsLeft = settings.maxAttempts - number;
      let response: Response | undefined;
      let failure: unknown;
      try {
        response = await next(call);
        if (!isRefusal(response) || call.refusal !== undefined) return response;
      } catch (error) {
        failure = error;
      }
      const last = call.attempts[sent];
      const decision = await decide(call, last, number, settings);
      if (decision.next !== 'again') {
        if (response === undefined) throw failure;
        // The host gave up while the reason was awaited: as before the headers.
        if (last?.end === 'aborted') throw last.error;
        if (decision.next === 'over') addHeader(response.headers, 'x-should-retry', 'false');
        return response;
      }
      release(response);
      if (decision.delayMs > 0) await wait(call, decision.delayMs);
      if (call.cutBy !== undefined) throw call.cutBy;
      call.signal?.throwIfAborted();
    }
  }

  async function decide(
    call: Call,
    attempt: Attempt | undefined,
    number: number,
    settings: RetrySettings,
  ): Promise<RetryDecision> {
    if (attempt === undefined || !isPlain(call.body)) return LEAVE;
    if (attempt.end === undefined && !(await hasEnded(attempt))) return LEAVE;
    const { verdict } = call;
    if (verdict === undefined || call.cutBy !== undefined || call.signal?.aborted === true) {
      return LEAVE;
    }
    return retryDecision(
      {
        verdict,
        number,
        elapsedMs: clock.now() - call.startedAt,
        deadlineMs: call.context.deadlineMs,
        isPaced: isPaced(call),
      },
      settings,
      random,
    );
  }

  /** Whether the attempt ends soon. */
  function hasEnded(attempt: Attempt): Promise<boolean> {
    return new Promise((resolve) => {
      const bell = alarm.set(clock.now() + MAX_WAIT_FOR_BODY_MS, () => {
        resolve(false);
      });
      attempt.whenEnded(() => {
        alarm.clear(bell);
        resolve(true);
      });
    });
  }

  /** Ends at once with the host's abort, and when the call is cut. */
  function wait(call: Call, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal, cut } = call;
      const leave = (): void => {
        alarm.clear(bell);
        signal?.removeEventListener('abort', leave);
        call.cut = cut;
        resolve();
      };
      const bell = alarm.set(clock.now() + ms, leave);
      signal?.addEventListener('abort', leave, { once: true });
      call.cut = (error) => {
        leave();
        cut(error);
      };
    });
  }
}

/** A test's stand-in for a transport may answer with anything. */
function isRefusal(response: { readonly status: number } | undefined): boolean {
  return response !== undefined && response.status >= 400;
}

function release(response: Response | undefined): void {
  response?.body?.cancel?.().catch(() => {});
}
