import { setImmediate } from 'node:timers/promises';

import { RouterError } from '../errors.ts';
import type { UsageRecord } from '../types.ts';
import type { Question, Tally } from './question.ts';
import { ALWAYS, recordsIn, type RecordSource, type TimeRange } from './record-source.ts';

/** Which records count. */
export interface RecordFilter {
  /** The first moment that counts: a `Date`, or ISO 8601 such as `2026-11-01` (midnight in UTC). Default: from the first on. */
  from?: Date | string | undefined;
  /** The first moment that does not count any more. Default: up to the last. */
  to?: Date | string | undefined;
  /** Whether a record counts, beside that. Default: yes. */
  where?: ((record: UsageRecord) => boolean) | undefined;
}

/** The answer to a question, or the answers to several under the names that they were asked with. */
export type Answers<Q> =
  Q extends Question<infer Answer>
    ? Answer
    : { readonly [K in keyof Q]: Q[K] extends Question<infer Answer> ? Answer : never };

/**
 * Answers one question, or several, in one pass over the records:
 *
 * `const { models, slow } = await report(sqliteRecords('usage.db'), { models: spend({ by: ['model'] }), slow: slowest() })`
 *
 * Memory depends on how many rows an answer has, not on how many records there are. Others get their turn in between. Rejects
 * with what the source throws.
 */
export async function report<
  const Q extends Question<unknown> | Readonly<Record<string, Question<unknown>>>,
>(source: RecordSource, questions: Q, filter?: RecordFilter): Promise<Answers<Q>>;
export async function report(
  source: RecordSource,
  questions: Question<unknown> | Readonly<Record<string, Question<unknown>>>,
  filter: RecordFilter = {},
): Promise<unknown> {
  if (typeof questions === 'function') {
    const tally = questions();
    await count(source, [tally], filter);
    return tally.answer();
  }
  const tallies = Object.entries(questions).map(([name, start]) => [name, start()] as const);
  await count(
    source,
    tallies.map(([, tally]) => tally),
    filter,
  );
  return Object.fromEntries(tallies.map(([name, tally]) => [name, tally.answer()]));
}

/** How many records are counted before others get their turn. */
const TURN = 1_000;

async function count(
  source: RecordSource,
  tallies: ReadonlyArray<Tally<unknown>>,
  { from, to, where }: RecordFilter,
): Promise<void> {
  const range: TimeRange =
    from === undefined && to === undefined
      ? ALWAYS
      : { from: momentOf(from, 'from') ?? -Infinity, to: momentOf(to, 'to') ?? Infinity };
  let seen = 0;
  for await (const record of recordsIn(source, range)) {
    if (++seen % TURN === 0) await setImmediate();
    if (range !== ALWAYS && !isWithin(range, record)) continue;
    if (where !== undefined && !where(record)) continue;
    for (const tally of tallies) tally.add(record);
  }
}

function isWithin({ from, to }: TimeRange, { startedAt }: UsageRecord): boolean {
  const at = Date.parse(startedAt);
  return at >= from && at < to;
}

function momentOf(given: Date | string | undefined, name: string): number | undefined {
  if (given === undefined) return undefined;
  const ms = given instanceof Date ? given.getTime() : isoMoment(given);
  if (Number.isNaN(ms)) {
    throw new RouterError(
      'ERR_OPTIONS',
      `report: ${name} must be a Date, or ISO 8601 such as 2026-11-01 or 2026-11-01T12:00:00Z`,
    );
  }
  return ms;
}

/** Not what means another moment on another machine: a time without its zone. */
function isoMoment(text: unknown): number {
  const isISO =
    typeof text === 'string' &&
    /^\d{4}-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?)?$/.test(text);
  return isISO ? Date.parse(text) : Number.NaN;
}
