import type { Account, Attempt, Call } from '../../call.ts';
import { capturedOf, type CaptureOptions } from '../../capture.ts';
import type { RouterErrorCode } from '../../errors.ts';
import type { Next, Stage } from '../../stage.ts';
import type { Clock, Random, UsageRecord } from '../../types.ts';
import { uuidv7 } from '../../util/uuid.ts';
import type { AccountOptions } from './account.ts';
import { endingOf, type Ending } from './outcome.ts';
import { usageRecord } from './record.ts';
import { shareOfAccount } from './share-of-account.ts';

export interface MeterOptions extends AccountOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What records hold of prompts and answers. Nothing without it. */
  readonly capture?: CaptureOptions | undefined;
  /** Calls that have not given their final record yet. */
  readonly active: Set<Call>;
  /** Takes every record, its call, and the attempt that it stands for (none when nothing was sent). Never throws. */
  readonly onRecord: (record: UsageRecord, call: Call, attempt: Attempt | undefined) => void;
  /** Takes a record that is still being counted, so that `flush` can wait for it. */
  readonly onPending: (pending: Promise<void>) => void;
}

/**
 * Times the call and gives its records: exactly one with `final: true`, and one more for every earlier attempt that may
 * have cost something.
 *
 * Two things must have happened before the final record: the pipeline has returned (so no further attempt comes), and
 * the last attempt's body has ended. Whichever comes second gives it.
 */
export function meter(options: MeterOptions): Stage {
  return {
    name: 'meter',
    handle: function meter(call: Call, next: Next): Promise<Response> {
      let returned = false;
      let settled = false;
      // Not the response itself: it must be free to go when its reader drops it.
      let isOk = false;
      let answering = 0;
      let last: Attempt | undefined;
      const settle = (): void => {
        if (!returned) return;
        const isFinal = !settled;
        if (isFinal) {
          last = answeringOf(call, answering);
          if (last !== undefined && last.end === undefined) return;
          settled = true;
          options.active.delete(call);
        }
        for (const attempt of call.attempts) {
          if (attempt === last || attempt.end === undefined || attempt.isRecorded) continue;
          attempt.isRecorded = true;
          if (mayHaveCost(attempt)) record(options, call, attempt, false);
        }
        if (isFinal) record(options, call, last, true, isOk);
      };
      const end = (response: Response): void => {
        isOk = isAnswer(response);
        if (call.attempts.length > 1) answering = attemptNumberOf(response);
        returned = true;
        settle();
      };
      /** Without an answer nobody can read what is still on its way. */
      const cut = (error: Error): void => {
        returned = true;
        for (const attempt of call.attempts) attempt.cut?.(error);
        settle();
      };
      call.onAttemptEnd = settle;
      options.active.add(call);
      return new Promise((resolve, reject) => {
        call.cut = (error) => {
          call.cutBy = error;
          cut(error);
          reject(new TypeError('fetch failed', { cause: error }));
        };
        run(call, next).then(
          (response) => {
            if (call.cutBy !== undefined) return;
            call.cut = cut;
            end(response);
            resolve(response);
          },
          (error: unknown) => {
            if (call.cutBy === undefined) {
              cut(error instanceof Error ? error : new Error('The call failed.', { cause: error }));
            }
            reject(error);
          },
        );
      });
    },
  };
}

/** A stage may throw where it should reject. */
async function run(call: Call, next: Next): Promise<Response> {
  return next(call);
}

/** The attempt whose answer the host gets: a middleware that asked twice may have taken the first. */
function answeringOf({ attempts }: Call, number: number): Attempt | undefined {
  return attempts.findLast((attempt) => attempt.number === number) ?? attempts.at(-1);
}

/** A test's stand-in for a transport may answer with nothing at all. */
function isAnswer(response: { readonly ok: boolean } | undefined): boolean {
  return response?.ok === true;
}

function attemptNumberOf(response: Response): number {
  return Number(response?.headers?.get?.('x-tokenrouter-attempts'));
}

/** A provider bills no request that it refused. */
function mayHaveCost(attempt: Attempt): boolean {
  return attempt.status === undefined || attempt.status < 400;
}

function record(
  options: MeterOptions,
  call: Call,
  attempt: Attempt | undefined,
  final: boolean,
  isOk = false,
): void {
  const now = options.clock.now();
  const ending =
    final && call.refusal !== undefined
      ? refusedAs(call.refusal, attempt)
      : attempt === undefined
        ? unsent(call, isOk)
        : endingOf(attempt);
  const give = (account: Account): void => {
    const id = final ? call.id : uuidv7(options.clock.wallNow(), options.random);
    const captured = options.capture && attempt && capturedOf(options.capture, attempt);
    const made = usageRecord(id, call, attempt, ending, account, final, now, captured);
    options.onRecord(made, call, attempt);
  };
  const account = shareOfAccount(options, call, attempt);
  if (account instanceof Promise) options.onPending(account.then(give).catch(() => {}));
  else give(account);
}

/** The router itself refused to go on with it; a deadline may pass while a request is under way. */
function refusedAs(errorCode: RouterErrorCode, attempt: Attempt | undefined): Ending {
  const isLate = errorCode === 'ERR_DEADLINE' && attempt?.status === undefined;
  return { outcome: isLate && attempt !== undefined ? 'timeout' : 'rejected', errorCode };
}

/** A middleware answered by itself, or failed. */
function unsent(call: Call, isOk: boolean): Ending {
  const failed = call.signal?.aborted === true || call.cutBy !== undefined ? 'aborted' : 'rejected';
  return { outcome: isOk ? 'ok' : failed, errorCode: undefined };
}
