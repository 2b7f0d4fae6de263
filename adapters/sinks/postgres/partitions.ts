import type { Names } from './names.ts';
import type { Run } from './queryable.ts';

/**
 * Functions in the database, so that they can also be called by a job of its owner. `tokenrouter_add_partitions(at)` makes
 * the partitions of that month and the next, and takes rows of theirs out of the default partition; a time more than ten years
 * ago or two months ahead is a broken clock's, and stays there. `tokenrouter_drop_partitions(before)` drops those that ended
 * before. With TimescaleDB the first has nothing to do.
 */
export function partitionFunctions(names: Names): string {
  const requests = names.table('requests');
  const rest = names.table('requests_default');
  const oldest = `now() - interval '10 years'`;
  const newest = `now() + interval '2 months'`;
  return `CREATE FUNCTION ${names.table('tokenrouter_add_partitions')}(at timestamptz) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '1s' AS $function$
DECLARE
  month timestamptz;
  month_end timestamptz;
  partition text;
  made integer := 0;
BEGIN
  IF to_regclass('${rest}') IS NULL OR at NOT BETWEEN ${oldest} AND ${newest} THEN RETURN 0; END IF;
  PERFORM ${names.lock};
  FOR ahead IN 0..1 LOOP
    month := date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    month_end := (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
    at := month_end;
    partition := format('%I.%I', '${names.schema}', 'requests_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM'));
    CONTINUE WHEN to_regclass(partition) IS NOT NULL;
    EXECUTE format('CREATE TABLE %s (LIKE ${requests} INCLUDING ALL)', partition);
    LOCK TABLE ${rest} IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('WITH moved AS (DELETE FROM ${rest} WHERE started_at >= %L AND started_at < %L RETURNING *) INSERT INTO %s SELECT * FROM moved', month, month_end, partition);
    EXECUTE format('ALTER TABLE ${requests} ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', partition, month, month_end);
    made := made + 1;
  END LOOP;
  RETURN made;
END $function$;
CREATE FUNCTION ${names.table('tokenrouter_drop_partitions')}(before timestamptz) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '1s' AS $function$
DECLARE
  partition regclass;
  dropped integer := 0;
BEGIN
  PERFORM ${names.lock};
  IF to_regclass('${rest}') IS NULL THEN
    EXECUTE 'SELECT count(*) FROM drop_chunks($1, older_than => $2)' INTO dropped USING to_regclass('${requests}'), before;
    RETURN dropped;
  END IF;
  FOR partition IN
    SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = to_regclass('${requests}') AND relname ~ '^requests_[0-9]{4}_[0-9]{2}$'
      AND (to_date(substr(relname, 10), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= before
  LOOP
    EXECUTE format('DROP TABLE %s', partition);
    dropped := dropped + 1;
  END LOOP;
  DELETE FROM ${rest} WHERE started_at < before;
  RETURN dropped;
END $function$;`;
}

/** Sees to partitions while records come. Never rejects: without one, rows go to the default partition until it is there. */
export type Keeper = (startedAt: readonly string[]) => Promise<void>;

/** Writes without another try after one that failed: a long report may hold the table. */
const PATIENCE = 100;
/** Days that are remembered. */
const MAX_DAYS = 10_000;

export function partitionKeeper(run: Run, names: Names, retentionDays: number | undefined): Keeper {
  const months = new Set<string>();
  const days = new Set<string>();
  let wait = 0;

  async function keep(times: readonly string[]): Promise<void> {
    for (const time of times) {
      const day = time.slice(0, 10);
      if (days.has(day)) continue;
      await add(time);
      await drop();
      if (days.size >= MAX_DAYS) {
        days.clear();
        months.clear();
      }
      days.add(day);
    }
  }

  async function add(time: string): Promise<void> {
    const month = time.slice(0, 7);
    if (months.has(month)) return;
    await run(`SELECT ${names.table('tokenrouter_add_partitions')}($1::timestamptz)`, [time]);
    months.add(month);
  }

  async function drop(): Promise<void> {
    if (retentionDays === undefined) return;
    const before = `now() - make_interval(days => $1::text::integer)`;
    await run(`SELECT ${names.table('tokenrouter_drop_partitions')}(${before})`, [
      String(retentionDays),
    ]);
  }

  return async (times) => {
    if (wait > 0) {
      wait--;
      return;
    }
    try {
      await keep(times);
    } catch {
      wait = PATIENCE;
    }
  };
}
