/** docs/postgres.md against a database: its questions run, and its columns are those of the tables. */
import { Pool } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';

import { postgresSink } from '../../../adapters/sinks/postgres/index.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { readPage, snippetsOf } from '../../docs/markdown.ts';
import { noPostgres, postgresUrl } from '../../helpers/services.ts';
import { newSchema, rows } from './database.ts';

const questions = snippetsOf('docs/postgres.md').filter(({ language }) => language === 'sql');
const page = readPage('docs/postgres.md');

describe.skipIf(noPostgres !== undefined)('docs/postgres.md', () => {
  let schema: string;
  beforeEach(async () => {
    schema = newSchema();
    const pool = new Pool({ connectionString: postgresUrl });
    const prices = [{ model: 'm', inputUsdPerMTok: 1, outputUsdPerMTok: 2 }];
    const startedAt = new Date(Date.now() - 60_000).toISOString();
    await postgresSink({ pool, schema, prices }).write([sampleRecord({ startedAt })]);
    await pool.end();
  });

  test('asks questions that have answers', async () => {
    expect(questions.length).toBeGreaterThan(4);
    for (const { code } of questions) {
      const sql = code.replaceAll(
        /(FROM |tokenrouter\.)(?=requests|daily_usage|cache_stats|model_pricing|tokenrouter_)/g,
        (_, word: string) => `${word === 'FROM ' ? word : ''}"${schema}".`,
      );
      for (const statement of sql.split(';\n').filter((each) => each.trim() !== '')) {
        expect(await rows(statement.replace(/--.*\n/, '')), statement).not.toEqual([]);
      }
    }
  });

  test.each(['requests', 'daily_usage', 'cache_stats', 'model_pricing'])(
    'names every column of %s',
    async (table) => {
      const start = page.indexOf(`**\`${table}\`**`);
      const end = page.indexOf('\n**`', start + 1);
      const section = page.slice(start, end < 0 ? page.indexOf('## Questions') : end);
      const named = new Set([...section.matchAll(/`(\w+)`/g)].map(([, name]) => name));
      const columns = await rows(
        'SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2',
        [schema, table],
      );
      expect(columns.length).toBeGreaterThan(5);
      for (const { column_name: column } of columns) expect(named).toContain(column);
    },
  );
});
