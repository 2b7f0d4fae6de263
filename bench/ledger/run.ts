/**
 * What delivery costs: emitting a record at each durability, and the outbox by itself.
 *
 *     --smoke            seconds in place of a minute
 *     --records <n>      how many records go through the outbox (default 1,000,000; 10000000 takes some minutes)
 *     --backlog <n>      of them so many while the sink is down (default a tenth)
 *     --json <file>      writes every figure
 *     --check            ends with 1 when a goal is missed
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { measureEmit } from './emit.ts';
import { measureOutbox } from './outbox.ts';

/** CPU microseconds of one record, from `push` until the sink has it; megabytes that memory grows by. */
const GOALS = { memory: 3, batched: 15, growthMB: 32 } as const;

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    records: { type: 'string' },
    backlog: { type: 'string' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});
const records = Number(values.records ?? (values.smoke ? 50_000 : 1_000_000));
const backlog = Number(values.backlog ?? records / 10);

const emit = await measureEmit(
  values.smoke ? { records: 5_000, rounds: 3 } : { records: 20_000, rounds: 5 },
);
console.log('Emitting a record, microseconds (median of rounds)\n');
console.log('durability   push   push p99   all CPU, until the sink has it');
for (const { durability, pushUs, pushP99Us, cpuUs } of emit) {
  const cells = [pushUs.toFixed(2).padStart(6), pushP99Us.toFixed(1).padStart(10)];
  console.log(`${durability.padEnd(10)} ${cells.join(' ')} ${cpuUs.toFixed(2).padStart(10)}`);
}

const outbox = await measureOutbox({ records, backlog, onLine: (line) => console.error(line) });
console.log(
  `\nOutbox: ${outbox.records} records, ${backlog} of them while the sink was down, in ` +
    `${outbox.seconds.toFixed(1)} s: ${Math.round(outbox.records / outbox.seconds)} a second. ` +
    `Memory (RSS) at most ${outbox.firstHalfMB.toFixed(0)} MB in the first half, ` +
    `${outbox.secondHalfMB.toFixed(0)} MB in the second; the file ${outbox.fileMB.toFixed(0)} MB.`,
);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ emit, outbox }));

const missed = emit
  .filter(({ durability, cpuUs }) => durability in GOALS && cpuUs > GOALS[durability as 'memory'])
  .map(({ durability }): string => durability);
if (outbox.secondHalfMB - outbox.firstHalfMB > GOALS.growthMB) missed.push('memory of the outbox');
if (values.check && missed.length > 0) {
  console.error(`Missed: ${missed.join(', ')}`);
  process.exitCode = 1;
}
