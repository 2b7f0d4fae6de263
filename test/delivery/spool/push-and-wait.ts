/**
 * Run by adopt.test.ts: `push-and-wait.ts <spoolDir> <count> <wait|exit>` pushes records to a sink that is down, prints their ids,
 * and waits to be killed, or exits with what it has gathered.
 */
import { writeSync } from 'node:fs';
import { createDelivery } from '../../../src/delivery/delivery.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { systemRandom } from '../../../src/util/random.ts';
import { createTestSink } from '../test-sink.ts';

const [spoolDir, count, end] = process.argv.slice(2);
const sink = createTestSink();
sink.down = true;
const delivery = createDelivery({
  sinks: [sink],
  clock: systemClock,
  random: systemRandom,
  durability: end === 'exit' ? 'batched' : 'process',
  spoolDir,
});
const records = Array.from({ length: Number(count) }, () => sampleRecord());
if (end === 'exit') {
  delivery.push(records[0]!);
  // A listener that comes later still gets its record stored.
  process.on('exit', () => delivery.push(records[2]!));
  delivery.push(records[1]!);
} else {
  for (const record of records) delivery.push(record);
}
writeSync(1, JSON.stringify(records.map(({ id }) => id)));
if (end === 'exit') process.exit(0);
setInterval(() => undefined, 1_000);
