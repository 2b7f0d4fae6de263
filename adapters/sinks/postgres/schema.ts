import { RouterError } from '../../../src/errors.ts';
import { POSTGRES_COLUMNS } from '../../../src/util/postgres-columns.ts';
import { createAggregates } from './aggregates.ts';
import { namesOf } from './names.ts';
import type { Names } from './names.ts';
import { partitionFunctions } from './partitions.ts';
import { sqlState, type Run } from './queryable.ts';

export interface PostgresSchemaOptions {
  /** The schema of the tables; it is made when it is not there. Default `public`. */
  schema?: string | undefined;
  /**
   * `auto`: where the database has the extension TimescaleDB, `requests` becomes a hypertable and not a table with a partition for
   * each month. Default `auto`.
   */
  timescale?: 'auto' | false | undefined;
}

interface Migration {
  readonly name: string;
  /** Statements of a block of PL/pgSQL. */
  readonly sql: (names: Names, timescale: boolean) => string;
}

/** In order; the version of a schema is how many of them it has had. */
const MIGRATIONS: readonly Migration[] = [{ name: 'tables', sql: createTables }];

/**
 * The SQL that makes the tables, one statement for each version, for those who migrate themselves (`migrate: 'check'`). Each is a
 * transaction by itself, takes a lock, and does nothing where its version is there already.
 */
export function postgresSchema(options: PostgresSchemaOptions = {}): string[] {
  const { schema = 'public', timescale = 'auto' } = options;
  const names = namesOf(schema);
  return MIGRATIONS.map((migration, index) =>
    block(migration, index + 1, names, timescale === 'auto'),
  );
}

function block(
  { name, sql }: Migration,
  version: number,
  names: Names,
  timescale: boolean,
): string {
  const versions = names.table('tokenrouter_schema');
  return `DO $migration$
BEGIN
  PERFORM ${names.lock};
  IF to_regnamespace('"${names.schema}"') IS NULL THEN
    CREATE SCHEMA "${names.schema}";
  END IF;
  IF to_regclass('${versions}') IS NULL THEN
    CREATE TABLE ${versions} (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
  END IF;
  IF EXISTS (SELECT FROM ${versions} WHERE version >= ${version}) THEN
    RETURN;
  END IF;
${sql(names, timescale)}
INSERT INTO ${versions} (version, name) VALUES (${version}, '${name}');
END $migration$;`;
}

function createTables(names: Names, timescale: boolean): string {
  const requests = names.table('requests');
  const columns = POSTGRES_COLUMNS.map(
    ({ name, type, isKey }) => `  ${name} ${type}${isKey ? ' COLLATE "C"' : ''}`,
  );
  const table = `CREATE TABLE ${requests} (
  started_at timestamptz NOT NULL,
${columns.join(',\n')},
  details jsonb,
  seq bigserial,
  PRIMARY KEY (started_at, id)
)`;
  const partitioned = `${table} PARTITION BY RANGE (started_at);
CREATE TABLE ${names.table('requests_default')} PARTITION OF ${requests} DEFAULT;`;
  const hypertable = `IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
${table};
PERFORM create_hypertable('${requests}', 'started_at', chunk_time_interval => interval '7 days');
ELSE
${partitioned}
END IF;`;
  return `${timescale ? hypertable : partitioned}
${createAggregates(names)}
CREATE TABLE ${names.table('model_pricing')} (
  provider text NOT NULL,
  model text NOT NULL,
  valid_from date NOT NULL,
  input_usd_per_mtok numeric NOT NULL,
  cache_read_usd_per_mtok numeric NOT NULL,
  cache_write_usd_per_mtok numeric NOT NULL,
  cache_write_1h_usd_per_mtok numeric NOT NULL,
  output_usd_per_mtok numeric NOT NULL,
  PRIMARY KEY (provider, model, valid_from)
);
${partitionFunctions(names)}`;
}

/** `auto` migrates; `check` rejects, naming what is missing. Both reject for a schema of a newer release. */
export async function migrate(
  run: Run,
  options: PostgresSchemaOptions & { readonly mode: 'auto' | 'check' },
): Promise<void> {
  const { schema = 'public', mode } = options;
  const version = await versionOf(run, namesOf(schema));
  const newest = MIGRATIONS.length;
  if (version > newest) {
    throw new RouterError(
      'ERR_OPTIONS',
      `postgresSink: schema "${schema}" has version ${version}, this release writes ${newest}. Upgrade tokenrouter`,
    );
  }
  const missing = MIGRATIONS[version];
  if (missing === undefined) return;
  if (mode === 'check') {
    throw new RouterError(
      'ERR_OPTIONS',
      `postgresSink: schema "${schema}" has version ${version}, this release needs ${newest}: migration ` +
        `${version + 1} (${missing.name}) is missing. Run what postgresSchema() gives, or set migrate: 'auto'`,
    );
  }
  for (const statement of postgresSchema(options).slice(version)) {
    try {
      await run(statement);
    } catch (error) {
      throw sqlState(error) === DUPLICATE_TABLE ? taken(schema, error) : error;
    }
  }
}

const DUPLICATE_TABLE = '42P07';
const UNDEFINED_TABLE = '42P01';

async function versionOf(run: Run, names: Names): Promise<number> {
  try {
    const versions = names.table('tokenrouter_schema');
    const [row] = await run(`SELECT max(version) AS version FROM ${versions}`);
    return typeof row === 'object' && row !== null && 'version' in row ? Number(row.version) : 0;
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return 0;
    throw error;
  }
}

function taken(schema: string, cause: unknown): RouterError {
  return new RouterError(
    'ERR_OPTIONS',
    `postgresSink: schema "${schema}" has a table of another program with the name of one of ours. ` +
      `Give the sink a schema of its own, as in schema: 'tokenrouter'`,
    { cause },
  );
}
