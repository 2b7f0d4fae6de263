import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createDelivery } from '../../src/delivery/delivery.ts';
import type { Durability } from '../../src/delivery/delivery.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';
import { spread } from '../statistics.ts';

export interface EmitCost {
  readonly durability: Durability;
  /** Wall time of `push` by itself: what a call waits. */
  readonly pushUs: number;
  readonly pushP99Us: number;
  /** CPU time of everything that a record brings about in this process, sink apart. */
  readonly cpuUs: number;
}

/** As many calls end in one turn of the event loop, and a turn takes a millisecond: 20,000 a second. */
const CALLS_PER_TURN = 20;

const DURABILITIES: readonly Durability[] = ['memory', 'batched', 'process', 'disk'];

export async function measureEmit(options: {
  readonly records: number;
  readonly rounds: number;
}): Promise<EmitCost[]> {
  const rounds: EmitCost[][] = [];
  // The first round warms up.
  for (let round = 0; round <= options.rounds; round++) {
    const costs: EmitCost[] = [];
    for (const durability of DURABILITIES) {
      // A disk takes its time for each record.
      const share = durability === 'disk' ? 0.1 : 1;
      costs.push(await once(durability, options.records * share));
    }
    if (round > 0) rounds.push(costs);
  }
  return DURABILITIES.map((durability, index) => {
    const of = (pick: (cost: EmitCost) => number): number =>
      spread(rounds.map((costs) => pick(costs[index]!))).median;
    return {
      durability,
      pushUs: of(({ pushUs }) => pushUs),
      pushP99Us: of(({ pushP99Us }) => pushP99Us),
      cpuUs: of(({ cpuUs }) => cpuUs),
    };
  });
}

async function once(durability: Durability, count: number): Promise<EmitCost> {
  const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-bench-'));
  let stored = 0;
  const delivery = createDelivery({
    sinks: [
      {
        name: 'counting',
        write: async (records) => {
          stored += records.length;
        },
      },
    ],
    clock: systemClock,
    random: systemRandom,
    durability,
    spoolDir: folder,
  });
  const records = Array.from({ length: count }, () => sampleRecord());
  const idle = await paced(records, () => undefined);
  const busy = await paced(
    records,
    (record) => delivery.push(record),
    () => delivery.flush(),
  );
  await delivery.close();
  rmSync(folder, { recursive: true });
  if (stored !== count) throw new Error(`${count - stored} records did not arrive.`);
  const times = busy.times.sort();
  return {
    durability,
    pushUs: times.reduce((sum, ms) => sum + ms, 0) * (1_000 / count),
    pushP99Us: times[Math.floor(times.length * 0.99)]! * 1_000,
    cpuUs: (busy.cpuUs - idle.cpuUs) / count,
  };
}

/** What the loop itself costs is measured with nothing in it. */
async function paced<T>(
  records: readonly T[],
  push: (record: T) => void,
  end?: () => Promise<void>,
): Promise<{ readonly times: Float64Array; readonly cpuUs: number }> {
  const times = new Float64Array(records.length);
  const before = process.cpuUsage();
  for (let from = 0; from < records.length; from += CALLS_PER_TURN) {
    const to = Math.min(records.length, from + CALLS_PER_TURN);
    for (let index = from; index < to; index++) {
      const startedAt = performance.now();
      push(records[index]!);
      times[index] = performance.now() - startedAt;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await end?.();
  const { user, system } = process.cpuUsage(before);
  return { times, cpuUs: user + system };
}
