import { RouterError } from '../../../src/errors.ts';

/** Names of one schema, quoted for SQL. */
export interface Names {
  readonly schema: string;
  table(name: string): string;
  /** Taken, until the end of the transaction, by whoever changes tables. */
  readonly lock: string;
}

export function namesOf(schema: string): Names {
  if (typeof schema !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(schema)) {
    throw new RouterError(
      'ERR_OPTIONS',
      'postgresSink: schema must be letters, digits and underscores, not starting with a digit, at most 63',
    );
  }
  return {
    schema,
    table: (name) => `"${schema}".${name}`,
    lock: `pg_advisory_xact_lock(hashtextextended('tokenrouter ${schema}', 0))`,
  };
}
