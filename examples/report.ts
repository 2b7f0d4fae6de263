/**
 * What was spent, on what and by whom, what caches saved, what was slow and what failed: tables for the terminal, charts as SVG.
 *
 *     node examples/report.ts [usage.db | usage.jsonl] [--out folder]
 *
 * It reads what `sqliteSink` or `fileSink` wrote. Without a file it makes a week of traffic first. Nothing leaves this machine.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import {
  cacheSavings,
  errors,
  fileRecords,
  formatTable,
  misses,
  report,
  slowest,
  spend,
  sqliteRecords,
  usd,
  type RecordReader,
} from 'tokenrouter/report';
import { sqliteSink } from 'tokenrouter/sinks/sqlite';
import { costByDay, costByModel, costOfMisses } from './report/charts.ts';
import { playWeek } from './report/traffic.ts';

const USAGE = 'node examples/report.ts [usage.db | usage.jsonl] [--out folder]';

function section(title: string, table: string): void {
  console.log(`\n${styleText('bold', title)}\n${table}`);
}

/** All questions are answered in one pass. */
async function show(source: RecordReader, out: string): Promise<void> {
  const answers = await report(source, {
    models: spend({ by: ['model'] }),
    tenants: spend({ by: ['tenant', 'tag:feature'] }),
    days: spend({ by: ['day', 'tenant'] }),
    caches: cacheSavings({ by: ['provider'] }),
    lost: misses(),
    slow: slowest({ by: ['model'], top: 5 }),
    failed: errors({ by: ['provider', 'errorCode'] }),
  });
  const { models, tenants, days, caches, lost, slow, failed } = answers;

  const { calls, cost, unpriced } = models.total;
  const sum = cost === null ? 'no price known' : `$${usd(cost)}`;
  const more = unpriced === 0 ? '' : ` and ${unpriced} records without a known price`;
  const period = `${days.rows[0]?.day} to ${days.rows.at(-1)?.day}`;
  console.log(styleText('bold', `${calls} calls, ${period}, ${sum}${more}`));

  const amounts = ['calls', 'inputTokens', 'outputTokens', 'cost', 'unpriced'];
  section('By model', formatTable(models, { columns: ['model', ...amounts] }));
  section(
    'By tenant and feature',
    formatTable(tenants, { columns: ['tenant', 'tag:feature', ...amounts] }),
  );
  section(
    'What prompt caches did',
    formatTable(caches, {
      columns: ['provider', 'calls', 'readTokens', 'writtenTokens', 'hitRate', 'saved'],
    }),
  );
  section('What they could have done', formatTable(lost));
  section(
    'How long calls took, in ms',
    formatTable(slow, { columns: ['model', 'calls', 'p50', 'p90', 'p99', 'max'] }),
  );
  section(
    'The slowest',
    formatTable(slow.slowest, {
      columns: ['startedAt', 'tenant', 'model', 'timeToFirstChunkMs', 'durationMs'],
    }),
  );
  section('What failed', formatTable(failed));

  mkdirSync(out, { recursive: true });
  const charts = {
    'cost-by-day.svg': costByDay(days),
    'cost-by-model.svg': costByModel(models),
    'cache-misses.svg': costOfMisses(lost),
  };
  for (const [name, svg] of Object.entries(charts)) writeFileSync(join(out, name), svg);
  console.log(`\n${Object.keys(charts).join(', ')} are in ${out}.`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string', default: '.tokenrouter/report' } },
  });
  const [path] = positionals;
  if (path !== undefined) {
    await show(path.endsWith('.jsonl') ? fileRecords(path) : sqliteRecords(path), values.out);
    return;
  }
  console.log(`No file given, so this is a simulated week. Yours: ${USAGE}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-report-'));
  try {
    const database = join(folder, 'usage.db');
    await playWeek(sqliteSink({ path: database }));
    await show(sqliteRecords(database), values.out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
