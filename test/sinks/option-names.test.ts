import { expect, test } from 'vitest';

import { fileSink } from '../../adapters/sinks/file.ts';
import { memorySink } from '../../adapters/sinks/memory.ts';
import { otlpSink } from '../../adapters/sinks/otlp/index.ts';
import { postgresSink } from '../../adapters/sinks/postgres/index.ts';
import { prometheusSink } from '../../adapters/sinks/prometheus/index.ts';
import { sqliteSink } from '../../adapters/sinks/sqlite.ts';
import { webhookSink } from '../../adapters/sinks/webhook/index.ts';
import type { Sink } from '../../src/types.ts';

const typo: object = { maxRecord: 1 };
const url = 'http://127.0.0.1:1';
const secret = Buffer.alloc(32, 1).toString('base64');
const query = async () => [];

test.each<[name: string, make: (more: object) => Sink]>([
  ['fileSink', (more) => fileSink({ path: 'x.jsonl', ...more })],
  ['memorySink', (more) => memorySink(more)],
  ['otlpSink', (more) => otlpSink({ url, ...more })],
  ['postgresSink', (more) => postgresSink({ query, ...more })],
  ['prometheusSink', (more) => prometheusSink(more)],
  ['sqliteSink', (more) => sqliteSink({ path: 'x.db', ...more })],
  ['webhookSink', (more) => webhookSink({ url, secret, ...more })],
])('%s refuses an option that there is not', (name, make) => {
  expect(() => make(typo)).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }));
  expect(() => make(typo)).toThrow(`${name}: unknown option maxRecord`);
  expect(make({}).name).not.toBe('');
});
