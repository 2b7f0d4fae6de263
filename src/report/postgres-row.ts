import { POSTGRES_COLUMNS } from '../util/postgres-columns.ts';

/** What is selected, in the order in which `recordOfRow` reads it. Amounts as texts: as JSON's numbers they would be rounded. */
export const ROW_CELLS: readonly string[] = POSTGRES_COLUMNS.map(({ name, type }) =>
  type === 'numeric' ? `${name}::text` : name,
);

/** Always there, also when nothing is known. */
const OBJECTS = [
  ['usage', 'inputTokens'],
  ['usage', 'outputTokens'],
  ['cost'],
  ['saved'],
  ['timing'],
  ['context'],
];

/**
 * The record of a row with `at`, `cells` and `details`; `undefined` when it is none. What has no column is in `details`, under the
 * record's own paths, and so are values that did not fit into their columns.
 */
export function recordOfRow(row: unknown): object | undefined {
  if (!isObject(row)) return undefined;
  const { at, cells: cellsJson, details } = row;
  try {
    const record: unknown = JSON.parse(typeof details === 'string' ? details : '{}');
    const cells: unknown = JSON.parse(String(cellsJson));
    if (!isObject(record) || !Array.isArray(cells)) return undefined;
    record['schemaVersion'] = 1;
    // Records have milliseconds.
    record['startedAt'] ??= `${String(at).slice(0, 23)}Z`;
    for (const path of OBJECTS) objectAt(record, path);
    for (const [index, { path }] of POSTGRES_COLUMNS.entries()) {
      const value: unknown = cells[index];
      if (value === null || value === undefined) continue;
      const name = path.at(-1) ?? '';
      // What is in `details` is the value as it was.
      objectAt(record, path.slice(0, -1))[name] ??= value;
    }
    objectAt(record, ['cost'])['usd'] ??= null;
    return record;
  } catch {
    return undefined;
  }
}

/** The object at that path; it is made where there is none. */
function objectAt(
  record: Record<string, unknown>,
  path: readonly string[],
): Record<string, unknown> {
  let current = record;
  for (const member of path) {
    const inner = current[member];
    const next = isObject(inner) ? inner : {};
    current[member] = next;
    current = next;
  }
  return current;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
