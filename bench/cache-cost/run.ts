/**
 * What prompt caching costs against the least that is possible, per workload and policy. Input tokens only, offline, in
 * virtual time: the figures are exact and the same on every machine.
 *
 *     --quick              short workloads of one seed, the few recorded conversations that the project has
 *     --seeds <n>          how many seeds (default 3)
 *     --workload <text>    only workloads whose name contains it; `traces` for the recorded conversations
 *     --policy <name>      only this policy (may be given several times)
 *     --format <name>      messages (Anthropic, the default) or chat (OpenAI)
 *     --json <file>        writes every figure
 *     --check              ends with 1 when the router misses a goal
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FORMATS } from './formats.ts';
import { inWorkers } from '../in-workers.ts';
import type { Job, Result } from './measure.ts';
import { POLICIES } from './policies.ts';
import { traceTable, workloadTable } from './table.ts';
import { WORKLOADS } from './workloads/index.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    workload: { type: 'string', default: '' },
    policy: { type: 'string', multiple: true, default: [...POLICIES] },
    format: { type: 'string', default: 'messages' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});

const chosen = Object.values(FORMATS).find(({ name }) => name === values.format);
if (chosen === undefined) {
  throw new Error(`--format takes one of: ${Object.keys(FORMATS).join(', ')}.`);
}
const format = chosen.name;
const policies = chosen.policies.filter((policy) => values.policy.includes(policy));
const seedCount = Number(values.seeds ?? (values.quick ? 1 : 3));
if (policies.length === 0) {
  throw new Error(`--policy takes one of: ${chosen.policies.join(', ')}.`);
}
if (!(seedCount >= 1)) throw new Error('--seeds takes a number from 1.');

const seeds = Array.from({ length: seedCount }, (_, index) => index + 1);
const traceJobs = policies
  .filter(() => ['', 'traces'].includes(values.workload))
  .map((policy): Job => ({ kind: 'traces', policy, format, shippedOnly: values.quick }));
const workloadJobs = WORKLOADS.filter(({ name }) => name.includes(values.workload)).flatMap(
  ({ name }) =>
    seeds.flatMap((seed) =>
      policies.map((policy): Job => {
        const extent = values.quick ? 0.25 : 1;
        return { kind: 'workload', workload: name, seed, policy, format, extent };
      }),
    ),
);
const jobs = [...traceJobs, ...workloadJobs];
if (jobs.length === 0) throw new Error('--workload matches none.');

const startedAt = performance.now();
const results = await inWorkers<Job, Result>(jobs, {
  worker: new URL('worker.ts', import.meta.url),
  // More would only take memory: the recorded conversations are about a gigabyte of bodies, one after another.
  maxWorkers: 4,
  onStart: (job) => {
    const what = job.kind === 'traces' ? 'traces' : `${job.workload}, seed ${job.seed}`;
    const elapsed = ((performance.now() - startedAt) / 1000).toFixed(0);
    console.error(`${elapsed} s  ${what}, ${job.policy}`);
  },
});

console.log(`Input cost / lower bound, ${format} format, ${seedCount} seeds: median (range)\n`);
const tables = [workloadTable(results), traceTable(results)].filter((text) => text !== '');
console.log(tables.join('\n\n'));
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
}
if (values.check && tables.some((text) => /\b(FAIL|DEARER)\b/.test(text))) process.exitCode = 1;
