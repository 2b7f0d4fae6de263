/**
 * Run by file.test.ts with a soft limit on file size: writes until the file may not grow, raises the limit, writes the
 * same batch again. Prints the ids that must be in the file.
 */
import { execFileSync } from 'node:child_process';

import { fileSink } from '../../adapters/sinks/file.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';

const sink = fileSink({ path: process.argv[2] ?? '' });
const records = Array.from({ length: 40 }, () => sampleRecord());
try {
  await sink.write(records);
  throw new Error('the limit was not reached');
} catch (error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'EFBIG')) throw error;
}
execFileSync('prlimit', [`--pid=${process.pid}`, '--fsize=unlimited']);
await sink.write(records);
await sink.close?.();
console.log(JSON.stringify(records.map(({ id }) => id)));
