/**
 * What senders reach of a provider's real limit, and how often they are refused on the way. Whole routers, simulated providers,
 * virtual time: the figures are the same on every machine.
 *
 *     --quick              one seed of a few scenarios
 *     --seeds <n>          how many seeds (default 3)
 *     --scenarios <text>   only scenarios whose name contains it; `at once` for the herds
 *     --senders <name>     only this one (may be given several times)
 *     --json <file>        writes every figure
 *     --check              ends with 1 when the router misses a goal
 *     --svg <file>         draws how senders follow a limit that changes
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CHARTED, chart } from './chart.ts';
import { inWorkers } from '../in-workers.ts';
import type { Job, Result } from './measure.ts';
import { HERDS, SCENARIOS } from './scenarios/index.ts';
import { SENDERS } from './senders.ts';
import { report } from './table.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    scenarios: { type: 'string', default: '' },
    senders: { type: 'string', multiple: true, default: [...SENDERS] },
    json: { type: 'string' },
    svg: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});

const seedCount = Number(values.seeds ?? (values.quick ? 1 : 3));
if (!(seedCount >= 1)) throw new Error('--seeds takes a number from 1.');
const senders = SENDERS.filter((sender) => values.senders.includes(sender));
if (senders.length === 0) throw new Error(`--senders takes one of: ${SENDERS.join(', ')}.`);
const scenarios = [...SCENARIOS, ...HERDS].filter(
  ({ name, isQuick = false }) => name.includes(values.scenarios) && (!values.quick || isQuick),
);
if (scenarios.length === 0) throw new Error('--scenarios matches none.');

const seeds = Array.from({ length: seedCount }, (_, index) => index + 1);
const jobs = scenarios.flatMap(({ name }) =>
  seeds.flatMap((seed) =>
    (['oracle', ...senders] as const).map((sender): Job => {
      const isTraced = values.svg !== undefined && name === CHARTED && seed === 1;
      return { scenario: name, seed, sender, isTraced };
    }),
  ),
);

const startedAt = performance.now();
const results = await inWorkers<Job, Result>(jobs, {
  worker: new URL('worker.ts', import.meta.url),
  maxWorkers: 8,
  onDone: ({ scenario, seed, sender }) => {
    const elapsed = ((performance.now() - startedAt) / 1000).toFixed(0);
    console.error(`${elapsed} s  ${scenario}, seed ${seed}, ${sender}`);
  },
});

const tables = report(results);
console.log(tables);
if (values.json !== undefined) {
  const figures = results.map(({ trace: _trace, ...result }) => result);
  writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
}
if (values.svg !== undefined) writeFileSync(values.svg, chart(results));
if (values.check && tables.includes('FAIL')) process.exitCode = 1;
