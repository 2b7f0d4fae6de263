import { Client, Pool } from 'pg';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';

import { postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import type { PostgresSinkOptions } from '../../../adapters/sinks/postgres/index.ts';
import { sinkContract } from '../../../src/testing/sink-contract.ts';
import { noPostgres, postgresUrl } from '../../helpers/services.ts';
import { newSchema, readRecords } from './database.ts';

interface Connected {
  readonly source: Pick<PostgresSinkOptions, 'pool' | 'query'>;
  readonly end: () => Promise<void>;
}

const clients: Readonly<Record<string, () => Promise<Connected>>> = {
  'a Pool of pg': async () => {
    const pool = new Pool({ connectionString: postgresUrl, max: 2 });
    return { source: { pool }, end: async () => pool.end() };
  },
  'a Client of pg': async () => {
    const client = new Client({ connectionString: postgresUrl });
    await client.connect();
    return { source: { pool: client }, end: async () => client.end() };
  },
  'postgres.js': async () => {
    const sql = postgres(postgresUrl, { max: 2, onnotice: () => undefined });
    return { source: { pool: sql }, end: async () => sql.end({ timeout: 1 }) };
  },
  'a function': async () => {
    const pool = new Pool({ connectionString: postgresUrl, max: 2 });
    const source = { query: async (text: string, values: string[]) => pool.query(text, values) };
    return { source, end: async () => pool.end() };
  },
};

describe.skipIf(noPostgres !== undefined)('postgresSink keeps the sink contract', () => {
  describe.each(Object.entries(clients))('with %s', (_name, connect) => {
    const cases = sinkContract({
      durable: true,
      async create() {
        const schema = newSchema();
        const { source, end } = await connect();
        const open = () => postgresSink({ ...source, schema } as PostgresSinkOptions);
        return {
          sink: open(),
          readAll: async () => readRecords(schema),
          reopen: async () => open(),
          dispose: end,
        };
      },
    });
    test.each(cases)('$name', async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
});
