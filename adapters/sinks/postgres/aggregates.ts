/**
 * The tables that are kept beside `requests`, in the statement that stores the records: from the rows that were really new, so that a
 * batch that comes twice counts once. Sums are `numeric`: they never overflow, and money stays exact.
 */
import type { Names } from './names.ts';

interface Aggregate {
  readonly table: string;
  readonly keys: readonly (keyof typeof KEYS)[];
  readonly measures: readonly Measure[];
  /** Which rows count. Default: all. */
  readonly where?: string;
}

interface Measure {
  readonly name: string;
  /** Over rows as `COUNTED` gives them. */
  readonly sql: string;
  /** A count is never NULL, a sum is while nothing is known. */
  readonly type: 'bigint' | 'numeric';
}

/** What a row of `requests` counts for. */
const KEYS = {
  day: `(started_at AT TIME ZONE 'UTC')::date`,
  tenant: keyText('tenant'),
  user_id: keyText('user_id'),
  provider: keyText('provider'),
  model: keyText('coalesce(response_model, request_model)'),
  miss: keyText('cache_miss'),
} as const;

/** What is read of the rows that were stored: keys, and what the measures are made of. */
export const COUNTED: string = [
  ...Object.entries(KEYS).map(([name, sql]) => `${sql} AS ${name}`),
  'final, attempt, outcome, dedupe_role, cache_miss, cost_usd, saved_cache_usd, saved_dedupe_usd',
  'input_tokens, uncached_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens',
  'output_tokens, reasoning_tokens, expected_read_tokens, lost_tokens, lost_usd',
].join(', ');

const DAILY_USAGE: Aggregate = {
  table: 'daily_usage',
  keys: ['day', 'tenant', 'user_id', 'provider', 'model'],
  measures: [
    count('records', 'true'),
    count('calls', 'final'),
    count('attempts', 'attempt > 0'),
    count('failed_calls', `final AND outcome <> 'ok'`),
    sum('input_tokens'),
    sum('uncached_tokens'),
    sum('cache_read_tokens'),
    sum('cache_write_tokens'),
    sum('cache_write_1h_tokens'),
    sum('output_tokens'),
    sum('reasoning_tokens'),
    sum('cost_usd'),
    count('unpriced', 'cost_usd IS NULL'),
    count('cache_hits', 'cache_read_tokens > 0'),
    count('dedupe_hits', `dedupe_role IN ('follower', 'cache')`),
    sum('saved_cache_usd'),
    sum('saved_dedupe_usd'),
  ],
};

const CACHE_STATS: Aggregate = {
  table: 'cache_stats',
  keys: ['day', 'tenant', 'provider', 'model', 'miss'],
  measures: [
    count('records', 'true'),
    count('hits', 'cache_read_tokens > 0'),
    count('writes', 'cache_write_tokens > 0 OR cache_write_1h_tokens > 0'),
    sum('input_tokens'),
    sum('expected_read_tokens'),
    sum('cache_read_tokens'),
    sum('cache_write_tokens'),
    sum('cache_write_1h_tokens'),
    sum('lost_tokens'),
    sum('lost_usd'),
    sum('saved_cache_usd'),
  ],
  where:
    'coalesce(cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, expected_read_tokens) ' +
    'IS NOT NULL OR cache_miss IS NOT NULL',
};

export function createAggregates(names: Names): string {
  return [DAILY_USAGE, CACHE_STATS]
    .map(({ table, keys, measures }) => {
      const lines = [
        ...keys.map((key) => `${key} ${key === 'day' ? 'date' : 'text COLLATE "C"'} NOT NULL`),
        ...measures.map(
          ({ name, type }) => `${name} ${type}${type === 'bigint' ? ' NOT NULL' : ''}`,
        ),
        `PRIMARY KEY (${keys.join(', ')})`,
      ];
      // Room for new versions of rows on their own pages: they are changed with every batch.
      return `CREATE TABLE ${names.table(table)} (\n  ${lines.join(',\n  ')}\n) WITH (fillfactor = 70);`;
    })
    .join('\n');
}

/**
 * Common table expressions that add the rows of `stored`. Rows are locked in the order of their keys and one table after the
 * other, so that writers wait for each other but never in a circle.
 */
export function addAggregates(names: Names): string {
  return (
    `daily AS (\n${add(names, DAILY_USAGE)}\nRETURNING 1\n),\n` +
    `cached AS (\n${add(names, CACHE_STATS, '(SELECT count(*) FROM daily) >= 0')}\n)`
  );
}

function add(names: Names, aggregate: Aggregate, after = 'true'): string {
  const { table, keys, measures, where = 'true' } = aggregate;
  const key = keys.join(', ');
  const columns = `${key}, ${measures.map(({ name }) => name).join(', ')}`;
  const values = `${key}, ${measures.map(({ sql }) => sql).join(', ')}`;
  const sets = measures.map(({ name, type }) =>
    type === 'bigint'
      ? `${name} = kept.${name} + excluded.${name}`
      : `${name} = coalesce(kept.${name} + excluded.${name}, kept.${name}, excluded.${name})`,
  );
  return (
    `INSERT INTO ${names.table(table)} AS kept (${columns})\n` +
    `SELECT ${values} FROM stored WHERE (${where}) AND ${after} GROUP BY ${key} ORDER BY ${key}\n` +
    `ON CONFLICT (${key}) DO UPDATE SET ${sets.join(', ')}`
  );
}

function count(name: string, condition: string): Measure {
  return { name, sql: `count(*) FILTER (WHERE ${condition})`, type: 'bigint' };
}

function sum(name: string): Measure {
  return { name, sql: `sum(${name})`, type: 'numeric' };
}

/** Missing is empty. An index takes 2,704 bytes a row, so that a long text is cut and told apart by its hash. */
function keyText(value: string): string {
  const hash = `encode(sha256(convert_to(${value}, 'UTF8')), 'hex')`;
  const cut = `left(${value}, 120) || '#' || ${hash}`;
  return `CASE WHEN octet_length(${value}) > 600 THEN ${cut} ELSE coalesce(${value}, '') END COLLATE "C"`;
}
