import { createHash } from 'node:crypto';

import { addAggregates, COUNTED } from './aggregates.ts';
import type { Names } from './names.ts';
import { sqlState, type Run } from './queryable.ts';
import { CELLS, ROW_END, textOf, type Row } from './rows.ts';

/**
 * The statement that stores the rows of its one parameter, a text as `rows.ts` makes it. It is a transaction by itself, whatever
 * runs it: either the new rows are stored and counted, or nothing happened.
 */
export function insertStatement(names: Names, aggregates: boolean): Statement {
  const text = insertText(names, aggregates);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { text, name: `tokenrouter_${hash}` };
}

export interface Statement {
  readonly text: string;
  /** To prepare it by: another text has another. */
  readonly name: string;
}

function insertText(names: Names, aggregates: boolean): string {
  const columns = CELLS.map(({ name }) => name).join(', ');
  const cells = CELLS.map(({ type }, index) =>
    type === 'text' ? `cell[${index + 1}]` : `cell[${index + 1}]::${type}`,
  ).join(', ');
  // Without OFFSET 0 the text of a row would be taken apart once for each of its cells.
  const insert =
    `INSERT INTO ${names.table('requests')} (${columns})\n` +
    `SELECT ${cells} FROM (\n` +
    `  SELECT string_to_array(line, chr(31), chr(1)) AS cell\n` +
    `  FROM unnest(string_to_array($1::text, chr(30))) AS line OFFSET 0\n` +
    `) AS lines\n` +
    `ON CONFLICT (started_at, id) DO NOTHING`;
  if (!aggregates) return insert;
  return `WITH stored AS (${insert} RETURNING ${COUNTED}),\n${addAggregates(names)}\nSELECT count(*) AS stored FROM stored`;
}

/** Characters of one statement. A row may be longer; then it goes alone. */
const MAX_CHARACTERS = 4_000_000;

/**
 * Stores all rows but those that PostgreSQL refuses by themselves, and rejects with the error of the first of these. Of a row
 * whose details alone are refused (nested too deep, too long) everything else is stored.
 */
export async function storeRows(
  run: Run,
  { text, name }: Statement,
  rows: readonly Row[],
): Promise<void> {
  let refused: Error | undefined;

  async function store(part: readonly Row[]): Promise<void> {
    try {
      await run(text, [part.map(textOf).join(ROW_END)], name);
    } catch (error) {
      if (!isAboutData(error)) throw error;
      if (part.length === 1) return storeWithoutDetails(part[0]!);
      const middle = part.length >> 1;
      await store(part.slice(0, middle));
      await store(part.slice(middle));
    }
  }

  async function storeWithoutDetails(row: Row): Promise<void> {
    try {
      await run(text, [textOf({ ...row, details: '{"refused":true}' })], name);
    } catch (error) {
      if (!isAboutData(error)) throw error;
      refused ??= refusal(row, sqlState(error));
    }
  }

  for (const part of parts(rows)) await store(part);
  if (refused !== undefined) throw refused;
}

function* parts(rows: readonly Row[]): Generator<readonly Row[]> {
  let start = 0;
  let characters = 0;
  for (const [index, { cells, details }] of rows.entries()) {
    const length = cells.length + details.length;
    if (index > start && characters + length > MAX_CHARACTERS) {
      yield rows.slice(start, index);
      start = index;
      characters = 0;
    }
    characters += length;
  }
  if (start < rows.length) yield rows.slice(start);
}

/** Data exception, integrity constraint violation, program limit exceeded: the same rows will fail again. */
function isAboutData(error: unknown): boolean {
  return /^(?:22|23|54)/.test(sqlState(error));
}

/** Not PostgreSQL's own error, which quotes the row. */
function refusal({ id }: Row, code: string): Error {
  const message = `postgresSink: PostgreSQL refuses the record ${id.slice(0, 36)} (SQLSTATE ${code}), as the tables are set up`;
  return Object.assign(new Error(message), { code });
}
