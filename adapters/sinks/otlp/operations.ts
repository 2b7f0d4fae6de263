import type { Cost, TokenUsage, UsageRecord } from '../../../src/types.ts';
import { Latest } from '../../../src/util/latest.ts';
import { picoDollars, usd } from '../../../src/util/usd.ts';

/** A call: its final record, and those of its attempts before that one. */
export interface Operation {
  readonly final: UsageRecord;
  /** In the order of their numbers. */
  readonly earlier: readonly UsageRecord[];
}

/** What a batch brings. Nothing is kept of it until `keep`: a batch that cannot be delivered comes again. */
export interface Grouped<Span> {
  readonly operations: readonly Operation[];
  /** Attempts that came after their call, and what was remembered of it. */
  readonly late: ReadonlyArray<{ readonly record: UsageRecord; readonly of: Span }>;
  /** Attempts whose call has not come yet. */
  readonly waiting: readonly UsageRecord[];
}

/** How many attempts wait for their call, and about how many calls are remembered for later attempts. The oldest are forgotten. */
const MAX_KEPT = 1_000;

/** Joins the records of attempts with the final one of their call, over batches, whichever comes first. */
export class CallBook<Span> {
  readonly #waiting = new Map<string, UsageRecord>();
  readonly #given = new Latest<Span>(MAX_KEPT);

  group(records: readonly UsageRecord[]): Grouped<Span> {
    const finals = new Map<string, UsageRecord>();
    const attempts = new Map(this.#waiting);
    for (const record of records) {
      if (record.final) finals.set(record.callId, record);
      else attempts.set(record.id, record);
    }
    const earlier = new Map<string, UsageRecord[]>();
    const late: Array<{ record: UsageRecord; of: Span }> = [];
    const waiting: UsageRecord[] = [];
    for (const record of attempts.values()) {
      const of = this.#given.get(record.callId);
      if (finals.has(record.callId)) {
        const list = earlier.get(record.callId);
        if (list === undefined) earlier.set(record.callId, [record]);
        else list.push(record);
      } else if (of !== undefined) late.push({ record, of });
      else waiting.push(record);
    }
    const operations = [...finals.values()].map((final) => ({
      final,
      earlier: (earlier.get(final.callId) ?? []).sort((a, b) => a.attempt - b.attempt),
    }));
    return { operations, late, waiting };
  }

  /** `spans`: what to remember of each operation, in their order. */
  keep(grouped: Grouped<Span>, spans: readonly Span[]): void {
    this.#waiting.clear();
    for (const record of grouped.waiting.slice(-MAX_KEPT)) {
      this.#waiting.set(record.id, withoutText(record));
    }
    for (const [index, { final }] of grouped.operations.entries()) {
      const span = spans[index];
      if (span !== undefined) this.#given.set(final.callId, span);
    }
  }
}

/** Texts may be large, and nobody asks an attempt for them. */
function withoutText(record: UsageRecord): UsageRecord {
  return { ...record, captured: undefined, usage: { ...record.usage, raw: undefined } };
}

/** What a call used and cost with all its attempts, as one record. */
export interface Totals {
  readonly record: UsageRecord;
  /** How many of its records have no known cost; with any, the sum is a lower bound. */
  readonly unpriced: number;
}

export function totalsOf({ final, earlier }: Operation): Totals {
  if (earlier.length === 0) return { record: final, unpriced: final.cost.usd === null ? 1 : 0 };
  const all = [...earlier, final];
  const unpriced = all.filter(({ cost }) => picoDollars(cost.usd) === undefined).length;
  return {
    record: {
      ...final,
      usage: sumOfUsage(all.map(({ usage }) => usage)),
      cost: sumOfCost(all.map(({ cost }) => cost)),
      saved: { ...final.saved, cacheUsd: dollars(all.map(({ saved }) => saved.cacheUsd)) },
    },
    unpriced,
  };
}

function sumOfUsage(all: readonly TokenUsage[]): TokenUsage {
  const input = (key: keyof TokenUsage['inputTokens']) => sum(all.map((u) => u.inputTokens[key]));
  const output = (key: keyof TokenUsage['outputTokens']) =>
    sum(all.map((u) => u.outputTokens[key]));
  return {
    inputTokens: {
      total: input('total'),
      uncached: input('uncached'),
      cacheRead: input('cacheRead'),
      cacheWrite: input('cacheWrite'),
      cacheWrite1h: input('cacheWrite1h'),
    },
    outputTokens: { total: output('total'), reasoning: output('reasoning') },
    grade: common(all.map(({ grade }) => grade)),
  };
}

/** Of different grades it is partly one and partly another. */
function common(grades: ReadonlyArray<TokenUsage['grade']>): TokenUsage['grade'] {
  return grades.find((grade) => grade !== grades[0]) === undefined
    ? (grades[0] ?? 'none')
    : 'partial';
}

function sumOfCost(all: readonly Cost[]): Cost {
  const part = (key: 'inputUsd' | 'cacheReadUsd' | 'cacheWriteUsd' | 'outputUsd') =>
    dollars(all.map((cost) => cost[key]));
  const amount = dollars(all.map((cost) => cost.usd ?? undefined)) ?? null;
  const isExact = all.every(({ price }) => price === 'exact');
  const dates = new Set(all.map(({ priceDate }) => priceDate));
  return {
    usd: amount,
    inputUsd: part('inputUsd'),
    cacheReadUsd: part('cacheReadUsd'),
    cacheWriteUsd: part('cacheWriteUsd'),
    outputUsd: part('outputUsd'),
    price: amount === null ? 'unpriced' : isExact ? 'exact' : 'approximate',
    priceDate: dates.size === 1 ? all[0]?.priceDate : undefined,
  };
}

/** Of those that are known; `undefined` when none is. */
function sum(values: ReadonlyArray<number | undefined>): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

function dollars(amounts: ReadonlyArray<string | undefined>): string | undefined {
  const known = amounts.map((text) => picoDollars(text)).filter((pico) => pico !== undefined);
  return known.length === 0 ? undefined : usd(known.reduce((total, pico) => total + pico, 0n));
}

/** In microseconds since the epoch, the precision of a record; a safe integer until the year 2255. */
export interface Times {
  readonly start: number;
  readonly end: number;
}

/** From what a record says of itself; 0, OTLP's word for unknown, when its time is none. */
export function timesOf({ startedAt, timing }: UsageRecord): Times {
  const start = Date.parse(startedAt) * 1000;
  if (!Number.isSafeInteger(start) || start < 0) return { start: 0, end: 0 };
  const duration = Math.round(timing.durationMs * 1000);
  const end = start + (Number.isSafeInteger(duration) && duration > 0 ? duration : 0);
  return { start, end: Number.isSafeInteger(end) ? end : start };
}

/**
 * The last attempt, whose record says only when the call began: it starts after the waiting and after the attempts before it, as far as
 * they are known.
 */
export function lastAttemptTimes({ final, earlier }: Operation): Times {
  const { start, end } = timesOf(final);
  const { queuedMs, heldMs } = final.timing;
  const waited = start + Math.round((queuedMs + heldMs) * 1000);
  const begun = Math.max(waited, ...earlier.map((record) => timesOf(record).end));
  return { start: Math.min(Number.isFinite(begun) ? begun : start, end), end };
}
