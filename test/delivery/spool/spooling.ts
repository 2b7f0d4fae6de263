/** Deliveries with an outbox, each in a folder of its own, and what a process leaves that is killed. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach } from 'vitest';

import { createDelivery } from '../../../src/delivery/delivery.ts';
import type {
  Delivery,
  DeliveryOptions,
  SinkDrop,
  SpoolFaultReport,
  SpoolSnapshot,
} from '../../../src/delivery/delivery.ts';
import { sampleRecord } from '../../../src/testing/sample-record.ts';
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts';
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { createTestSink } from '../test-sink.ts';
import type { TestSink } from '../test-sink.ts';

export interface Spooling {
  clock: VirtualClock;
  sink: TestSink;
  delivery: Delivery;
  spoolDir: string;
  drops: SinkDrop[];
  faults: SpoolFaultReport[];
  /** Pushes so many records and gives their ids. */
  push: (count: number) => string[];
  spool: () => SpoolSnapshot;
}

const cleanUps: Array<() => unknown> = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenrouter-spool-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

let seed = 0;

export function spooling(options: Partial<DeliveryOptions> = {}): Spooling {
  const clock = createVirtualClock();
  const sink = createTestSink();
  const drops: SinkDrop[] = [];
  const faults: SpoolFaultReport[] = [];
  const spoolDir = options.spoolDir ?? emptyFolder();
  const random = (seed = (seed + 0.12345) % 1);
  const delivery = createDelivery({
    sinks: [sink],
    clock,
    random: () => random,
    durability: 'process',
    spoolDir,
    onDrop: (drop) => drops.push(drop),
    onSpoolFault: (report) => faults.push(report),
    ...options,
  });
  cleanUps.push(async () => {
    const closed = delivery.close({ timeoutMs: 0 });
    await clock.advance(0);
    await closed;
  });
  return {
    clock,
    sink,
    delivery,
    spoolDir,
    drops,
    faults,
    push: (count) =>
      Array.from({ length: count }, () => {
        const record = sampleRecord();
        delivery.push(record);
        return record.id;
      }),
    spool: () => {
      const { spool } = delivery.snapshot();
      if (spool === undefined) throw new Error('expected a spool');
      return spool;
    },
  };
}

/** What would be in the folder if every process that has it open were killed now. Another process copies: no lock is lost. */
export function afterKill(spoolDir: string): string {
  const folder = emptyFolder();
  execFileSync('cp', ['-r', `${spoolDir}/.`, folder]);
  return folder;
}

export function outboxes(spoolDir: string): string[] {
  return readdirSync(spoolDir)
    .filter((name) => name.endsWith('.db'))
    .map((name) => join(spoolDir, name));
}

/** The ids on the disk, oldest first. */
export function idsIn(spoolDir: string): string[] {
  return outboxes(afterKill(spoolDir)).flatMap((path) => {
    const database = new DatabaseSync(path);
    const rows = database.prepare('SELECT record FROM outbox ORDER BY seq').all();
    database.close();
    return rows.map((row) => JSON.parse(String(row['record'])).id as string);
  });
}

export function onlyOutbox(spoolDir: string): string {
  const [path, ...others] = outboxes(spoolDir);
  if (path === undefined || others.length > 0) throw new Error('expected one outbox');
  return path;
}

/** Overwrites part of a file. */
export function damage(path: string, at: number, bytes: number): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.alloc(bytes, 0xa5), 0, bytes, at);
  closeSync(descriptor);
}
