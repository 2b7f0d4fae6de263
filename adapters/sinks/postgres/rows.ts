import type { UsageRecord } from '../../../src/types.ts';
import { POSTGRES_COLUMNS, type PostgresColumn } from '../../../src/util/postgres-columns.ts';
import { detailsJson } from './details.ts';
import type { OddValue } from './details.ts';

/** One row of `requests`. */
export interface Row {
  readonly id: string;
  /** ISO 8601 with milliseconds, UTC. */
  readonly startedAt: string;
  /** All but `details`, in the order of `CELLS`, `CELL_END` between them. */
  readonly cells: string;
  /** JSON of what has no column. */
  readonly details: string;
}

/**
 * Rows go as one text that `string_to_array` takes apart, which costs PostgreSQL half of what `json_to_recordset` does (15.20,
 * November 2026). A cell that is `NULL_CELL` is NULL. No cell holds these characters, and JSON only escaped.
 */
export const ROW_END = '\u001e';
const CELL_END = '\u001f';
const NULL_CELL = '\u0001';

/** Names and types of the cells of a row. */
export const CELLS: readonly { readonly name: string; readonly type: string }[] = [
  { name: 'started_at', type: 'timestamptz' },
  ...POSTGRES_COLUMNS,
  { name: 'details', type: 'jsonb' },
];

export function rowOf(record: UsageRecord): Row {
  const startedAt = timestamp(record.startedAt);
  let odd: OddValue[] | undefined;
  if (startedAt !== record.startedAt) {
    odd = [{ path: ['startedAt'], value: record.startedAt }];
  }
  let cells = startedAt;
  for (const { path, type } of POSTGRES_COLUMNS) {
    const value = valueAt(record, path);
    if (value === undefined || value === null) {
      cells += CELL_END + NULL_CELL;
      continue;
    }
    const cell = cellOf(value, type);
    if (cell === undefined || (cell !== value && type === 'text'))
      (odd ??= []).push({ path, value });
    cells += CELL_END + (cell ?? NULL_CELL);
  }
  return { id: record.id, startedAt, cells, details: detailsJson(record, odd) };
}

export function textOf(row: Row): string {
  return row.cells + CELL_END + row.details;
}

function valueAt(record: UsageRecord, path: readonly string[]): unknown {
  let value: unknown = record;
  for (const member of path) {
    if (!isObject(value)) return undefined;
    value = value[member];
  }
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Where a record does not say when it started. The same record must always get the same: it is part of the primary key. */
const UNKNOWN_TIME = '1970-01-01T00:00:00.000Z';

/** A time of a day that every month has. */
const USUAL_TIME =
  /^[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}\.\d{3}Z$/;

function timestamp(text: string): string {
  if (USUAL_TIME.test(text)) return text;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return UNKNOWN_TIME;
  const iso = new Date(ms).toISOString();
  return /^(?!0000)\d{4}-/.test(iso) ? iso : UNKNOWN_TIME;
}

/** `undefined` for what the type cannot hold as it is. A text may come back cleaned. */
function cellOf(value: unknown, type: PostgresColumn['type']): string | undefined {
  switch (type) {
    case 'text':
      return typeof value === 'string' ? cleanText(value) : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? (value ? 't' : 'f') : undefined;
    case 'integer':
      return Number.isInteger(value) && Math.abs(Number(value)) <= 0x7f_ff_ff_ff
        ? String(value)
        : undefined;
    case 'bigint':
      return Number.isSafeInteger(value) ? String(value) : undefined;
    case 'double precision':
      return Number.isFinite(value) ? String(value) : undefined;
    case 'numeric':
      return typeof value === 'string' && AMOUNT.test(value) ? value : undefined;
  }
}

/** Far from what `numeric` takes, and far from any bill. */
const AMOUNT = /^-?\d{1,100}(?:\.\d{1,100})?$/;

/** NUL and lone surrogates, which PostgreSQL has no place for, and the characters between cells. */
const UNFIT = new RegExp(`[\\0${NULL_CELL}${CELL_END}${ROW_END}\\p{Surrogate}]`, 'gu');

function cleanText(text: string): string {
  return text.search(UNFIT) < 0 ? text : text.replace(UNFIT, '\ufffd');
}
