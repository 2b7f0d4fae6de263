import type { Attempt, AttemptWatcher, Call } from '../call.ts';
import type { Permit } from '../limits/types.ts';
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
      answered.catch(() => {
        if (call.attempts.length === attempts) watch.unsent();
      });
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
    const { status, header } = attempt;
    // What a refusal says is looked at when its body has told why.
    if (status === undefined || status >= 400 || header === undefined) return;
    attempt.nextReport = REPORT_BYTES;
    quietly(() => {
      this.#permit.begin(header, this.#clock.now());
    });
  }

  progress(attempt: Attempt): void {
    const bytes = attempt.tap?.bytes ?? 0;
    attempt.nextReport = bytes + REPORT_BYTES;
    const tokens = bytes / this.#size.of(attempt.asked.stream);
    quietly(() => {
      this.#permit.progress(tokens, this.#clock.now());
    });
  }

  ended(attempt: Attempt): void {
    const verdict = verdictOf(attempt, this.#clock.wallNow());
    this.#call.verdict = verdict;
    quietly(() => {
      const usage = verdict.kind === 'ok' ? attempt.usage() : undefined;
      const output = usage?.outputTokens.total;
      if (output !== undefined && attempt.tap !== undefined) {
        this.#size.learn(attempt.asked.stream, attempt.tap.bytes, output);
      }
      this.#permit.end(
        {
          verdict,
          header: attempt.header,
          inputTokens: usage?.inputTokens.total,
          cacheReadTokens: usage?.inputTokens.cacheRead,
          outputTokens: output,
        },
        this.#clock.now(),
      );
    });
  }

  /** It was aborted before anything went out. */
  unsent(): void {
    quietly(() => {
      this.#permit.end(UNSENT, this.#clock.now());
    });
  }
}

const UNSENT = {
  verdict: { kind: 'aborted', isRetryable: false },
  header: undefined,
  inputTokens: undefined,
  cacheReadTokens: undefined,
  outputTokens: undefined,
} as const;

/** A fault in a limit (or in a user's adapter) costs what it would have learnt, never the call. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // See above.
  }
}
