/**
 * Measures what the router costs and what it saves: `npm run bench`. docs/benchmarks.md says how, and what came out.
 *
 *     --quick            fewer sizes and rounds
 *     --smoke            one short round of everything, to see that it works
 *     --only <group>     whole, stream or null
 *     --json <file>      writes every round's figures
 *     --profile <dir>    leaves a CPU profile of every client there
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measure } from './measure.ts';
import { planOf, type Extent } from './plan.ts';
import { asJson, environment, tables } from './report.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    smoke: { type: 'boolean' },
    only: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
});

const extent: Extent = values.smoke ? 'smoke' : values.quick ? 'quick' : 'full';
const cells = planOf(extent).filter(
  ({ group }) => values.only === undefined || group === values.only,
);
if (cells.length === 0) throw new Error('--only takes one of: whole, stream, null.');

const loadBefore = loadavg()[0]!;
const startedAt = performance.now();
const results = await measure(cells, {
  profileDir: values.profile,
  onCell: ({ cell }) => {
    console.error(
      `${((performance.now() - startedAt) / 1000).toFixed(0)} s  ${cell.group}: ${cell.title}`,
    );
  },
});
const about = environment(loadBefore);
console.log(tables(results, about));
if (extent === 'smoke') {
  console.log(
    '\nEverything works. The figures are of cold code, in one short round: they say nothing.',
  );
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(asJson(results, about), undefined, 2)}\n`);
}
