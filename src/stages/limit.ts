import type { Attempt, AttemptWatcher, Call } from '../call.ts';
import type { Permit, RequestEnd, Verdict } from '../limits/types.ts';
import { verdictOf } from '../limits/verdict.ts';
import type { Next, Stage } from '../stage.ts';
import type { Clock, Endpoint } from '../types.ts';

export interface LimitOptions {
  readonly clock: Clock;
}

/**
 * Holds the permits of a request that has got its turn: tells the limits when its answer begins, how far it has grown and how
 * it ended, and gives the permits back with the last byte, whatever happens.
 */
export function limit({ clock }: LimitOptions): Stage {
  const sizes = new WeakMap<Endpoint, BytesPerToken>();

  return {
    name: 'limit',
    handle: function limit(call: Call, next: Next): Promise<Response> {
      const permit = call.permits;
      call.watcher = call.permits = call.verdict = undefined;
      if (permit === undefined) return next(call);
      let size = sizes.get(call.endpoint);
      if (size === undefined) sizes.set(call.endpoint, (size = new BytesPerToken()));
      const watch = new Watch(call, permit, size, clock);
      call.watcher = watch;
      const attempts = call.attempts.length;
      const answered = next(call);
      // Nothing was sent yet: perhaps nothing will be.
      if (call.attempts.length === attempts) {
        answered.catch(() => {
          if (call.attempts.length === attempts) watch.unsent();
        });
      }
      return answered;
    },
  };
}

/** What an answer weighs a token: learnt from those whose provider said how many there were. */
class BytesPerToken {
  /** First beliefs: a chunk of OpenAI's streams carries one token and 200 to 350 bytes; a whole answer some 5 bytes a token. */
  #stream = 200;
  #whole = 5;

  of(isStream: boolean): number {
    return isStream ? this.#stream : this.#whole;
  }

  learn(isStream: boolean, bytes: number, tokens: number): void {
    if (tokens < 16) return;
    const weight = bytes / tokens;
    if (isStream) this.#stream += 0.1 * (weight - this.#stream);
    else this.#whole += 0.1 * (weight - this.#whole);
  }
}

/** How much of an answer comes between two looks at its size. */
const REPORT_BYTES = 4096;

/** A fault in a limit (or in a user's adapter) costs what it would have learnt, never the call. */
class Watch implements AttemptWatcher {
  readonly #call: Call;
  readonly #permit: Permit;
  readonly #size: BytesPerToken;
  readonly #clock: Clock;

  constructor(call: Call, permit: Permit, size: BytesPerToken, clock: Clock) {
    this.#call = call;
    this.#permit = permit;
    this.#size = size;
    this.#clock = clock;
  }

  headers(attempt: Attempt): void {
    const { status, header, headersAt = this.#clock.now() } = attempt;
    // What a refusal says is looked at when its body has told why.
    if (status === undefined || status >= 400 || header === undefined) return;
    attempt.nextReport = REPORT_BYTES;
    try {
      this.#permit.begin(header, headersAt);
    } catch {
      // See above.
    }
  }

  progress(attempt: Attempt): void {
    const bytes = attempt.tap?.bytes ?? 0;
    attempt.nextReport = bytes + REPORT_BYTES;
    const tokens = bytes / this.#size.of(attempt.asked.stream);
    try {
      this.#permit.progress(tokens, this.#clock.now());
    } catch {
      // See above.
    }
  }

  ended(attempt: Attempt): void {
    const verdict = verdictOf(attempt, this.#clock.wallNow());
    const { endedAt = this.#clock.now() } = attempt;
    this.#call.verdict = verdict;
    try {
      this.#permit.end(this.#endOf(attempt, verdict), endedAt);
    } catch {
      // See above.
    }
  }

  #endOf(attempt: Attempt, verdict: Verdict): RequestEnd {
    const { asked, header, tap } = attempt;
    const usage = verdict.kind === 'ok' ? attempt.usage() : undefined;
    const outputTokens = usage?.outputTokens.total;
    if (outputTokens !== undefined && tap !== undefined) {
      this.#size.learn(asked.stream, tap.bytes, outputTokens);
    }
    return {
      verdict,
      header,
      inputTokens: usage?.inputTokens.total,
      cacheReadTokens: usage?.inputTokens.cacheRead,
      outputTokens,
    };
  }

  /** It was aborted before anything went out. */
  unsent(): void {
    try {
      this.#permit.end(UNSENT, this.#clock.now());
    } catch {
      // See above.
    }
  }
}

const UNSENT: RequestEnd = {
  verdict: { kind: 'aborted', isRetryable: false },
  header: undefined,
  inputTokens: undefined,
  cacheReadTokens: undefined,
  outputTokens: undefined,
};
