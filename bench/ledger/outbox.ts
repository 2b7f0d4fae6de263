import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createDelivery } from '../../src/delivery/delivery.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';

export interface OutboxCost {
  readonly records: number;
  readonly seconds: number;
  /** Resident memory at most, until half of the records were made and after that. */
  readonly firstHalfMB: number;
  readonly secondHalfMB: number;
  readonly fileMB: number;
}

/** Records that are made in one turn of the event loop. */
const TURN = 100;

/** Sends records through the outbox of one process; the first of them while the sink is down. */
export async function measureOutbox(options: {
  readonly records: number;
  readonly backlog: number;
  readonly onLine: (line: string) => void;
}): Promise<OutboxCost> {
  const { records, backlog, onLine } = options;
  const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-outbox-'));
  let pushed = 0;
  let stored = 0;
  let firstHalfMB = 0;
  let secondHalfMB = 0;
  let fileMB = 0;
  const delivery = createDelivery({
    sinks: [
      {
        name: 'counting',
        write: async (batch) => {
          if (pushed < backlog) throw new Error('down');
          stored += batch.length;
        },
      },
    ],
    clock: systemClock,
    random: systemRandom,
    durability: 'batched',
    spoolDir: folder,
    maxSpoolBytes: 2 ** 36,
    batchSize: 500,
  });
  const startedAt = performance.now();
  const look = (): void => {
    const { rss } = process.memoryUsage();
    const files = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    const onDisk = files.reduce((sum, size) => sum + size, 0) / 1e6;
    if (pushed <= records / 2) firstHalfMB = Math.max(firstHalfMB, rss / 1e6);
    else secondHalfMB = Math.max(secondHalfMB, rss / 1e6);
    fileMB = Math.max(fileMB, onDisk);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    onLine(
      `${seconds} s  pushed ${pushed}, stored ${stored}, RSS ${(rss / 1e6).toFixed(0)} MB, file ${onDisk.toFixed(0)} MB`,
    );
  };
  while (pushed < records) {
    for (let i = 0; i < TURN && pushed < records; i++, pushed++) delivery.push(sampleRecord());
    if (pushed % Math.max(TURN, Math.floor(records / 20 / TURN) * TURN) === 0) look();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const watch = setInterval(look, 5_000);
  await delivery.flush();
  clearInterval(watch);
  look();
  const seconds = (performance.now() - startedAt) / 1_000;
  await delivery.close();
  rmSync(folder, { recursive: true });
  if (stored !== records) throw new Error(`${records - stored} records did not arrive.`);
  return { records, seconds, firstHalfMB, secondHalfMB, fileMB };
}
