import { spawnSync } from 'node:child_process';
import {
  appendFile,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { fileSink } from '../../adapters/sinks/file.ts';
import type { UsageRecord } from '../../src/types.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';
import { sinkContract } from '../../src/testing/sink-contract.ts';
import { usageRecordSchema } from '../../src/usage-record.ts';

/** As readers are told: skip lines that are not JSON, keep the first line of an id. */
async function readRecords(path: string): Promise<UsageRecord[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const records = new Map<string, UsageRecord>();
  for (const line of text.split('\n')) {
    const record = parse(line);
    if (record !== undefined && !records.has(record.id)) records.set(record.id, record);
  }
  return [...records.values()];
}

function parse(line: string): UsageRecord | undefined {
  try {
    return JSON.parse(line) as UsageRecord;
  } catch {
    return undefined;
  }
}

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-sink-'));
  path = join(folder, 'deep', 'er', 'usage.jsonl');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const samples = (count: number) => Array.from({ length: count }, () => sampleRecord());

describe('fileSink keeps the sink contract', () => {
  const cases = sinkContract({
    durable: true,
    async create() {
      const sink = fileSink({ path });
      return {
        sink,
        readAll: () => readRecords(path),
        reopen: async () => fileSink({ path }),
        dispose: async () => sink.close?.(),
      };
    },
  });
  test.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('fileSink lines', () => {
  test('are one per record for every line reader, and come back exactly', async () => {
    const text = '\ud800 a\nb\r\nc\rd\u0085e\u2028f\u2029g\0h\udfff 👩‍👩‍👧‍👦';
    const record = sampleRecord({ context: { priority: 'low', tags: { [text]: text } } });
    const sink = fileSink({ path });
    await sink.write([record, sampleRecord()]);
    await sink.close?.();

    const bytes = await readFile(path, 'utf8');
    const lines: string[] = [];
    for await (const line of createInterface({ input: Readable.from([bytes]) })) lines.push(line);
    expect(lines).toHaveLength(2);
    expect(bytes).not.toMatch(/[\u0085\u2028\u2029\0\r]/);
    expect(JSON.parse(lines[0] ?? '')).toEqual(record);
    expect(usageRecordSchema.safeParse(JSON.parse(lines[1] ?? '')).success).toBe(true);
  });

  test('of a raw usage that has no JSON form leave it out and keep the rest', async () => {
    const raw: Record<string, unknown> = { tokens: 1n };
    const record = sampleRecord();
    record.usage.raw = raw;
    const sink = fileSink({ path });
    await sink.write([record]);
    await sink.close?.();
    const [stored] = await readRecords(path);
    expect(stored?.usage).toEqual({ ...record.usage, raw: undefined });
  });

  test('start on their own after a torn one', async () => {
    const [a, b] = [sampleRecord(), sampleRecord()];
    const first = fileSink({ path });
    await first.write([a]);
    await first.close?.();
    await appendFile(path, '{"schemaVersion":1,"id":"019a');

    const second = fileSink({ path });
    await second.write([b]);
    await second.close?.();
    expect(await readRecords(path)).toEqual([a, b]);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4);
  });

  test('are readable by the owner alone unless another mode is asked for', async () => {
    const shared = join(folder, 'open.jsonl');
    for (const sink of [fileSink({ path }), fileSink({ path: shared, mode: 0o640 })]) {
      await sink.write(samples(1));
      await sink.close?.();
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(shared)).mode & 0o777).toBe(0o640);
  });
});

describe('fileSink when writing fails', () => {
  interface BufferWriter {
    write: (buffer: Buffer, offset?: number) => Promise<{ bytesWritten: number; buffer: Buffer }>;
  }

  /** The next write stops after `bytes`, as it does when a disk fills up. */
  async function failAfter(bytes: number): Promise<void> {
    const probe = await open(join(folder, 'probe'), 'w');
    const prototype: BufferWriter = Object.getPrototypeOf(probe);
    await probe.close();
    const { write } = prototype;
    let left = bytes;
    vi.spyOn(prototype, 'write').mockImplementation(async function (
      this: BufferWriter,
      buffer,
      offset = 0,
    ) {
      const part = buffer.subarray(offset, offset + left);
      if (part.length === 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      left -= part.length;
      return write.call(this, part);
    });
  }

  test('continues behind the last whole line', async () => {
    const records = samples(4);
    const lengths = records.map((record) => JSON.stringify(record).length + 1);
    const sink = fileSink({ path });
    await failAfter((lengths[0] ?? 0) + (lengths[1] ?? 0) + 7);
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'ENOSPC' });
    vi.restoreAllMocks();
    await sink.write(records);
    await sink.close?.();

    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    expect(lines.map((line) => parse(line)?.id)).toEqual([
      records[0]?.id,
      records[1]?.id,
      undefined,
      records[2]?.id,
      records[3]?.id,
    ]);
  });

  test('knows what is whole after several failures, also at the very end of a line', async () => {
    const records = samples(3);
    const line = JSON.stringify(records[0]).length + 1;
    const sink = fileSink({ path });
    await failAfter(line);
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'ENOSPC' });
    vi.restoreAllMocks();
    await failAfter(line);
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'ENOSPC' });
    vi.restoreAllMocks();
    await sink.write(records);
    await sink.close?.();
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    expect(lines.map((text) => parse(text)?.id)).toEqual(records.map(({ id }) => id));
  });

  test('rejects when the folder cannot be made, and works once it can', async () => {
    const blocked = join(folder, 'deep');
    await writeFile(blocked, 'a file where the folder should be');
    const sink = fileSink({ path });
    const records = samples(1);
    await expect(sink.write(records)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await rm(blocked);
    await sink.write(records);
    await sink.close?.();
    expect(await readRecords(path)).toEqual(records);
  });

  test.skipIf(process.platform !== 'linux')(
    'writes nothing twice on a file that may not grow (needs ulimit and prlimit of Linux)',
    async () => {
      const child = join(import.meta.dirname, 'file-sink-at-limit.ts');
      const run = spawnSync(
        'sh',
        [
          '-c',
          'ulimit -S -f 16; exec "$0" --conditions=@tokenrouter/source "$@"',
          process.execPath,
          child,
          path,
        ],
        { encoding: 'utf8' },
      );
      expect(run).toMatchObject({ status: 0, stderr: '' });
      const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
      const ids = lines.map((line) => parse(line)?.id).filter((id) => id !== undefined);
      expect(ids).toEqual(JSON.parse(run.stdout));
      expect(lines).toHaveLength(ids.length + 1);
    },
  );
});

describe('fileSink rotation', () => {
  test('starts a new file before one grows past maxBytes and removes the oldest', async () => {
    const records = samples(11);
    const lineBytes = JSON.stringify(records[0]).length + 1;
    const sink = fileSink({ path, maxBytes: 3 * lineBytes + 5, maxFiles: 2 });
    for (const [from, to] of [
      [0, 2],
      [2, 10],
      [10, 11],
    ]) {
      await sink.write(records.slice(from, to));
    }
    await sink.close?.();

    expect((await readdir(join(path, '..'))).sort()).toEqual([
      'usage.jsonl',
      'usage.jsonl.1',
      'usage.jsonl.2',
    ]);
    expect(await readRecords(`${path}.2`)).toEqual(records.slice(3, 6));
    expect(await readRecords(`${path}.1`)).toEqual(records.slice(6, 9));
    expect(await readRecords(path)).toEqual(records.slice(9));
  });

  test('counts what was in the file before it was opened', async () => {
    const records = samples(3);
    const lineBytes = JSON.stringify(records[0]).length + 1;
    const options = { path, maxBytes: 2 * lineBytes };
    for (const record of records) {
      const sink = fileSink(options);
      await sink.write([record]);
      await sink.close?.();
    }
    expect(await readRecords(`${path}.1`)).toEqual(records.slice(0, 2));
    expect(await readRecords(path)).toEqual(records.slice(2));
  });

  test('gives a line longer than maxBytes a file of its own', async () => {
    const records = samples(3);
    const sink = fileSink({ path, maxBytes: 10 });
    await sink.write(records);
    await sink.close?.();
    expect(await readRecords(`${path}.2`)).toEqual(records.slice(0, 1));
    expect(await readRecords(`${path}.1`)).toEqual(records.slice(1, 2));
    expect(await readRecords(path)).toEqual(records.slice(2));
  });

  test('takes writes, flushes and close at any time, one after the other', async () => {
    const records = samples(50);
    const lineBytes = JSON.stringify(records[0]).length + 1;
    const sink = fileSink({ path, maxBytes: lineBytes, maxFiles: 60 });
    await Promise.all([
      sink.write(records.slice(0, 25)),
      sink.flush?.(),
      sink.write(records.slice(25)),
      sink.flush?.(),
      sink.close?.(),
    ]);
    const stored: string[] = [];
    for (let n = 49; n >= 0; n--) {
      const kept = await readRecords(n === 0 ? path : `${path}.${n}`);
      stored.push(...kept.map(({ id }) => id));
    }
    expect(stored).toEqual(records.map(({ id }) => id));
    await expect(sink.write(samples(1))).rejects.toThrow(/close/);
  });
});

describe('fileSink options', () => {
  test.each([
    { path: '' },
    { path: 'x', maxBytes: 0 },
    { path: 'x', maxBytes: 1.5 },
    { path: 'x', maxFiles: 0 },
  ])('refuses %j', (options) => {
    expect(() => fileSink(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTIONS' }));
  });
});
