import { createRuleLimiter, type RuleLimiter } from '../../../src/limits/rules/rule-limiter.ts';
import type { LimitRule } from '../../../src/limits/settings.ts';
import type { Demand, RequestEnd, VerdictKind } from '../../../src/limits/types.ts';

/** One request as it really is; the limiter sees only a part of that. */
export interface Work {
  /** What the limiter is told of its input before. */
  readonly estimate: number;
  readonly maxOutput: number | undefined;
  readonly input: number;
  readonly output: number;
  readonly headMs: number;
  readonly bodyMs: number;
  /** `refused`, `failed`, `gone`: before its head. `cut`: by the host, half way. */
  readonly fate: 'ok' | 'refused' | 'failed' | 'gone' | 'cut';
  readonly tellsUsage: boolean;
  readonly tellsProgress: boolean;
  /** How long after the one before it comes. */
  readonly afterMs: number;
}

/** A request that was sent, and the tokens that it really took. */
export interface SentWork {
  readonly at: number;
  readonly input: number;
  readonly output: number;
}

interface Event {
  readonly at: number;
  run(now: number): void;
}

export function demandFor({ estimate, maxOutput }: Pick<Work, 'estimate' | 'maxOutput'>): Demand {
  return {
    priority: 'normal',
    arrivedAt: 0,
    attempt: 1,
    attemptsLeft: 0,
    inputTokens: estimate,
    cachedTokens: 0,
    maxOutputTokens: maxOutput,
  };
}

export function endOf(kind: VerdictKind, input?: number, output?: number): RequestEnd {
  return {
    verdict: { kind, isRetryable: false },
    header: undefined,
    inputTokens: input,
    cacheReadTokens: undefined,
    outputTokens: output,
  };
}

/**
 * Sends everything, first in, first out, as soon as the limiter lets it, on a clock of its own. Throws when a wait was not over
 * when it was said to be, and when something is never sent.
 */
export function saturate(
  rule: LimitRule,
  works: readonly Work[],
  onSent: (limiter: RuleLimiter, now: number) => void = () => {},
): SentWork[] {
  const limiter = createRuleLimiter(rule);
  const sent: SentWork[] = [];
  const queue: Work[] = [];
  const events: Event[] = [];
  const at = (time: number, run: (now: number) => void): void => {
    const after = events.findIndex((event) => event.at > time);
    events.splice(after < 0 ? events.length : after, 0, { at: time, run });
  };
  /** How often anything has happened. */
  let happened = 0;

  function pump(now: number): void {
    happened++;
    for (let work = queue[0]; work !== undefined; work = queue[0]) {
      const wait = limiter.waitMs(demandFor(work), now);
      if (wait > 0) {
        if (wait < Infinity) wakeIn(wait, work, now);
        return;
      }
      queue.shift();
      send(work, now);
      onSent(limiter, now);
    }
  }

  function wakeIn(wait: number, work: Work, now: number): void {
    const before = happened;
    at(now + wait, (later) => {
      if (queue[0] !== work) return;
      const rest = limiter.waitMs(demandFor(work), later);
      if (happened === before && rest > 0)
        throw new Error(`after the ${wait} ms it asked for, ${rest} are left`);
      pump(later);
    });
  }

  function send(work: Work, now: number): void {
    const { fate, headMs, bodyMs } = work;
    const permit = limiter.admit(demandFor(work), now);
    const end = (later: number, result: RequestEnd): void => {
      permit.end(result, later);
      permit.end(result, later);
      pump(later);
    };
    const headAt = now + headMs;
    if (fate === 'refused' || fate === 'failed' || fate === 'gone') {
      const kind = ({ refused: 'rate', failed: 'failure', gone: 'aborted' } as const)[fate];
      sent.push({ at: now, input: 0, output: 0 });
      at(headAt, (later) => end(later, endOf(kind)));
      return;
    }
    const isCut = fate === 'cut';
    const output = isCut ? Math.floor(work.output / 2) : work.output;
    sent.push({ at: now, input: work.input, output });
    at(headAt, (later) => {
      permit.begin(() => undefined, later);
      pump(later);
    });
    for (let part = 1; work.tellsProgress && part <= 4; part++) {
      at(headAt + (bodyMs * part) / 4, (later) => {
        permit.progress(Math.floor((output * part) / 4), later);
        pump(later);
      });
    }
    at(headAt + bodyMs, (later) => {
      if (isCut) end(later, endOf('aborted'));
      else if (work.tellsUsage) end(later, endOf('ok', work.input, output));
      else end(later, endOf('ok'));
    });
  }

  let arrival = 0;
  for (const work of works) {
    arrival += work.afterMs;
    at(arrival, (now) => {
      queue.push(work);
      if (queue.length === 1) pump(now);
    });
  }
  for (let event = events.shift(); event !== undefined; event = events.shift()) event.run(event.at);
  if (queue.length > 0) throw new Error(`${queue.length} were never sent`);
  return sent;
}

/** The most of anything in any window of that length, found by looking at each that starts with a request. */
export function mostIn(
  sent: readonly SentWork[],
  windowMs: number,
  amount: (sent: SentWork) => number,
): number {
  let most = 0;
  for (const [start, first] of sent.entries()) {
    let sum = 0;
    for (let i = start; i < sent.length && sent[i]!.at - first.at < windowMs; i++) {
      sum += amount(sent[i]!);
    }
    most = Math.max(most, sum);
  }
  return most;
}
