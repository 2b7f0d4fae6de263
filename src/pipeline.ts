/**
 * THE ORDER. A call walks down this list and its answer walks back up; the first stage is the outermost.
 *
 *     host ── fetch ──▶ meter ─▶ (middleware) ─▶ identify ─▶ chunk ─▶ arrange ─▶ canonicalize ─▶ fingerprint ─┐
 *                         │                                                                                  ▼
 *                         ▼            ┌─ retry ◀── cache-control ◀── warm-up ◀── adapt ◀── budget ◀─── dedupe
 *                   usage records      ▼
 *                                   schedule ──▶ limit ──▶ send ──▶ provider
 *                                                           │
 *                                                  one tap on the answer's bytes
 */
import type { Next, Stage } from './stage.ts';
import { adapt } from './stages/adapt.ts';
import { arrange, type ArrangeOptions } from './stages/arrange.ts';
import { budget, type BudgetOptions } from './stages/budget.ts';
import { cacheControl, type CacheControlOptions } from './stages/cache-control.ts';
import { canonicalize, type CanonicalizeOptions } from './stages/canonicalize.ts';
import { chunk, type ChunkOptions } from './stages/chunk.ts';
import { dedupe, type DedupeStageOptions } from './stages/dedupe.ts';
import { fingerprint } from './stages/fingerprint.ts';
import { identify, type IdentifyOptions } from './stages/identify.ts';
import { limit, type LimitOptions } from './stages/limit.ts';
import { meter, type MeterOptions } from './stages/meter/index.ts';
import { middleware } from './stages/middleware.ts';
import { retry, type RetryStageOptions } from './stages/retry.ts';
import { schedule, type ScheduleStageOptions } from './stages/schedule.ts';
import { send, type SendOptions } from './stages/send/index.ts';
import { warmUp, type WarmUpOptions } from './stages/warm-up.ts';
import type { Middleware } from './types.ts';

export interface PipelineOptions
  extends
    MeterOptions,
    IdentifyOptions,
    ChunkOptions,
    ArrangeOptions,
    CanonicalizeOptions,
    DedupeStageOptions,
    BudgetOptions,
    WarmUpOptions,
    CacheControlOptions,
    RetryStageOptions,
    ScheduleStageOptions,
    LimitOptions,
    SendOptions {
  readonly middleware: readonly Middleware[];
}

/** The stages that find out what a request is and make it ready: all that happens before it may be sent. */
export function prepare(options: PipelineOptions): readonly Stage[] {
  return [
    identify(options), //                 adapter by URL, body read once
    chunk(options), //                    the body as blocks, in cache order
    arrange(options), //                  the same tools in the same order
    canonicalize(options), //             the same bytes for the same meaning
    fingerprint(), //                     hashes of its prefixes
  ];
}

/** Every stage, outermost first. */
export function stages(
  options: PipelineOptions,
  prepared: readonly Stage[] = prepare(options),
): readonly Stage[] {
  return [
    meter(options), //                    times the call, settles exactly one final record
    ...options.middleware.map(middleware), // the user's own functions
    ...prepared, //                       see above
    dedupe(options), //                   one request for identical calls
    budget(options), //                   what it may cost, reserved
    adapt(), //                           what the provider must be asked for
    warmUp(options), //                   waits for a prefix that another call is writing
    cacheControl(options), //             what the provider's prompt cache is to keep
    retry(options), //                    another attempt where it may help
    schedule(options), //                 who is next
    limit(options), //                    permits, and what answers say about them
    send(options), //                     transport, and one tap on the answer
  ];
}

/** The stages as one function. The innermost stage answers; it has no next. */
export function compose(list: readonly Stage[]): Next {
  let next: Next = () => Promise.reject(new Error('The last stage of a pipeline must answer.'));
  for (const stage of list.toReversed()) {
    const inner = next;
    next = (call) => stage.handle(call, inner);
  }
  return next;
}
