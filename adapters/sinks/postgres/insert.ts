import { createHash } from 'node:crypto';

import { addAggregates, COUNTED } from './aggregates.ts';
import type { Names } from './names.ts';
import { CELLS } from './rows.ts';

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
