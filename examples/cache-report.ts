/**
 * Where the money for prompts goes, and what to change: reads traffic that `recordFetch` recorded, prints a report, and writes
 * a page with a picture of each conversation's prefix. Nothing leaves this machine, and no text of a prompt is shown.
 *
 *     node examples/cache-report.ts [traffic.jsonl] [--out report.html]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { page } from './cache-report/page.ts';
import { replay } from './cache-report/replay.ts';
import { reportOf } from './cache-report/report.ts';
import { terminalReport } from './cache-report/terminal.ts';
import { readTraffic } from './cache-report/traffic.ts';

/** Simulated: see the README beside it. */
const SAMPLE = fileURLToPath(
  new URL('../test/fixtures/cache-report/traffic.jsonl', import.meta.url),
);

const USAGE = 'node examples/cache-report.ts [traffic.jsonl] [--out report.html]';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string', default: '.tokenrouter/cache-report.html' } },
  });
  const path = positionals[0] ?? SAMPLE;
  const traffic = readTraffic(path);
  const report = reportOf(traffic, await replay(traffic.exchanges));
  if (path === SAMPLE)
    console.log(`No traffic given, so this is a simulated morning. Yours: ${USAGE}\n`);
  console.log(terminalReport(report));
  mkdirSync(dirname(values.out), { recursive: true });
  const source = path === SAMPLE ? 'a simulated morning' : basename(path);
  writeFileSync(values.out, page(report, source));
  console.log(`\nThe pictures are in ${values.out}.`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
