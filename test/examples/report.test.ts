/** The example with a file of one's own. Without one it runs in test/examples.test.ts. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';

import { fileSink } from '../../adapters/sinks/file.ts';
import { sampleRecord } from '../../src/testing/index.ts';

// A process of its own, beside those of other tests.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const example = fileURLToPath(new URL('../../examples/report.ts', import.meta.url));

function run(...args: string[]) {
  return spawnSync(
    process.execPath,
    ['--conditions=@tokenrouter/source', '--disable-warning=ExperimentalWarning', example, ...args],
    { cwd: folder, encoding: 'utf8' },
  );
}

test('reads a file of fileSink and writes the charts where it is told', async () => {
  const sink = fileSink({ path: join(folder, 'usage.jsonl') });
  await sink.write([sampleRecord(), sampleRecord({ responseModel: 'house' })]);
  await sink.close?.();
  const { status, stdout, stderr } = run('usage.jsonl', '--out', 'charts');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('2 calls, 2026-01-31 to 2026-01-31, $0.00027\n');
  expect(stdout).toMatch(/^house +1 +1,200 +50 +\$0\.000135000 +0$/m);
  expect(stdout).not.toContain('simulated');
  const chart = readFileSync(join(folder, 'charts', 'cost-by-model.svg'), 'utf8');
  expect(chart).toContain('>house</text>');
});

test('says what is wrong with a file', () => {
  const { status, stdout, stderr } = run('none.jsonl');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain('ENOENT');
});
