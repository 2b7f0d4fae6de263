import { usd as usdOf } from '../util/usd.ts';
import type { UsageRecord } from '../types.ts';

/** The records of what was run: a list, or whatever holds one (`memorySink()`). Records of every attempt belong to it. */
export type Run = readonly UsageRecord[] | { readonly records: readonly UsageRecord[] };

/** What a whole run cost in US dollars, an exact decimal string. `null` when a billed record has no known cost. */
export function costOf(run: Run): string | null {
  const pico = picoOf(recordsIn(run));
  return pico === undefined ? null : usdOf(pico);
}

/**
 * Which share of a run's input tokens was read from the provider's prompt cache, 0 to 1. `undefined` when there was no
 * input, or when the input of a billed record is not known.
 */
export function cacheReadShare(run: Run): number | undefined {
  let read = 0;
  let total = 0;
  for (const { usage } of recordsIn(run).filter(isBilled)) {
    if (usage.inputTokens.total === undefined) return undefined;
    total += usage.inputTokens.total;
    read += usage.inputTokens.cacheRead ?? 0;
  }
  return total === 0 ? undefined : read / total;
}

/** What `costMatchers` adds to `expect`, for declaration merging. */
export interface CostMatchers<R = void> {
  /** The run cost no more than this many US dollars, `'0.12'`; compared as exact decimals. */
  toCostAtMost(usd: string | number): R;
  /** At least this share of the run's input tokens, 0 to 1, was read from the provider's prompt cache. */
  toReadFromCache(share: number): R;
}

/** The part of a test runner's matcher state that is used here. */
export interface MatcherState {
  readonly isNot?: boolean | undefined;
}

export interface MatcherResult {
  pass: boolean;
  message: () => string;
}

/**
 * For `expect.extend(costMatchers)` of Vitest, Jest and their like. A run without records, or with records that do not say
 * what is asked, fails either way, with `.not` too.
 */
export const costMatchers: {
  toCostAtMost(this: MatcherState, run: unknown, usd: string | number): MatcherResult;
  toReadFromCache(this: MatcherState, run: unknown, share: number): MatcherResult;
} = {
  toCostAtMost(run, limit) {
    const most = parseUsd(String(limit));
    if (most === undefined) {
      throw new TypeError(
        `toCostAtMost: expected US dollars as a decimal such as '0.12', with at most 12 decimals, got ${String(limit)}`,
      );
    }
    const records = knownRecords(run);
    if (typeof records === 'string') return failure(this, records);
    const pico = picoOf(records);
    if (pico === undefined) {
      const unknown = records.filter((record) => isBilled(record) && costIn(record) === undefined);
      const models = [...new Set(unknown.map(modelOf))].join(', ');
      return failure(
        this,
        `expected a run whose cost is known, but no cost is known of ${unknown.length} of ${records.length} ` +
          `records (${models}): give their prices with the option \`prices\`\n\n${table(records)}`,
      );
    }
    const pass = pico <= most;
    const comparison = pass ? 'more than' : 'at most';
    return {
      pass,
      message: () =>
        `expected the run to cost ${comparison} $${usdOf(most)}, but it cost $${usdOf(pico)}\n\n${table(records)}`,
    };
  },

  toReadFromCache(run, share) {
    if (!(share >= 0 && share <= 1)) {
      throw new TypeError(`toReadFromCache: expected a share from 0 to 1, got ${String(share)}`);
    }
    const records = knownRecords(run);
    if (typeof records === 'string') return failure(this, records);
    const read = cacheReadShare(records);
    if (read === undefined) {
      return failure(
        this,
        `expected a run whose input tokens are known, but a record does not tell them\n\n${table(records)}`,
      );
    }
    const pass = read >= share;
    const comparison = pass ? 'less than' : 'at least';
    return {
      pass,
      message: () =>
        `expected the run to read ${comparison} ${percent(share)} of its input tokens from the prompt cache, ` +
        `but it read ${percent(read)}\n\n${table(records)}`,
    };
  },
};

function failure({ isNot }: MatcherState, text: string): MatcherResult {
  return { pass: isNot === true, message: () => text };
}

/** The records, or what is wrong with what was given. */
function knownRecords(run: unknown): readonly UsageRecord[] | string {
  if (!isRun(run)) {
    return 'expected a run: usage records, or an object with `records`, such as memorySink()';
  }
  const records = recordsIn(run);
  return records.length > 0
    ? records
    : 'expected a run with at least one record, but it has none: was `await router.flush()` left out?';
}

function isRun(value: unknown): value is Run {
  if (typeof value !== 'object' || value === null) return false;
  const records: unknown = Array.isArray(value) ? value : Reflect.get(value, 'records');
  return Array.isArray(records) && records.every(isRecord);
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'usage' in value && 'cost' in value;
}

function recordsIn(run: Run): readonly UsageRecord[] {
  return 'records' in run ? run.records : run;
}

/** Whether somebody pays for it: not what was never sent, nor what was refused without a word of usage. */
function isBilled({ attempt, status, usage, cost }: UsageRecord): boolean {
  if (usage.grade !== 'none' || cost.usd !== null) return true;
  return attempt > 0 && !(status !== undefined && status >= 400);
}

/** `undefined` when the cost of a billed record is not known: a sum over the others would be a lower bound. */
function picoOf(records: readonly UsageRecord[]): bigint | undefined {
  let sum = 0n;
  for (const record of records.filter(isBilled)) {
    const pico = costIn(record);
    if (pico === undefined) return undefined;
    sum += pico;
  }
  return sum;
}

function costIn({ cost }: UsageRecord): bigint | undefined {
  return cost.usd === null ? undefined : parseUsd(cost.usd);
}

/** A decimal in dollars as whole pico-dollars. */
function parseUsd(text: string): bigint | undefined {
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d{1,12}))?$/.exec(text) ?? [];
  return whole === undefined ? undefined : BigInt(whole + fraction.padEnd(12, '0'));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

const MAX_ROWS = 20;

function table(records: readonly UsageRecord[]): string {
  const rows = records.slice(0, MAX_ROWS).map((record, index) => {
    const { cacheRead, cacheWrite, cacheWrite1h, uncached } = record.usage.inputTokens;
    const written =
      cacheWrite === undefined && cacheWrite1h === undefined
        ? undefined
        : (cacheWrite ?? 0) + (cacheWrite1h ?? 0);
    const { total: output } = record.usage.outputTokens;
    return [
      String(index + 1),
      modelOf(record),
      ...[cacheRead, written, uncached, output].map((tokens) => String(tokens ?? '-')),
      record.cost.usd === null ? '-' : `$${record.cost.usd}`,
    ];
  });
  const all = [['call', 'model', 'read', 'written', 'plain', 'output', 'cost'], ...rows];
  const widths = all[0]?.map((_, column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0)),
  );
  const lines = all.map((row) =>
    row
      .map((cell, i) => (i === 1 ? cell.padEnd(widths?.[i] ?? 0) : cell.padStart(widths?.[i] ?? 0)))
      .join('  '),
  );
  const left = records.length - rows.length;
  return [...lines, ...(left > 0 ? [`… and ${left} more`] : [])].join('\n');
}

function modelOf({ responseModel, requestModel, provider }: UsageRecord): string {
  return responseModel ?? requestModel ?? provider;
}
