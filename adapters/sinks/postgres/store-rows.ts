import type { Statement } from './insert.ts';
import type { Run } from './queryable.ts';
import { ROW_END, textOf } from './rows.ts';
import type { Row } from './rows.ts';
import { sqlState } from './sql-state.ts';

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
