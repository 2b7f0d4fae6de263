import { checkSqlName } from '../../../src/util/sql-name.ts';

/** Names of one schema, quoted for SQL. */
export interface Names {
  readonly schema: string;
  table(name: string): string;
  /** Taken, until the end of the transaction, by whoever changes tables. */
  readonly lock: string;
}

export function namesOf(schema: string): Names {
  checkSqlName('postgresSink: schema', schema);
  return {
    schema,
    table: (name) => `"${schema}".${name}`,
    lock: `pg_advisory_xact_lock(hashtextextended('tokenrouter ${schema}', 0))`,
  };
}
