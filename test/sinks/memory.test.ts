import { describe, expect, test } from 'vitest';

import { memorySink } from '../../adapters/sinks/memory.ts';
import { sampleRecord } from '../../src/testing/sample-record.ts';
import { sinkContract } from '../../src/testing/sink-contract.ts';

describe('memorySink keeps the sink contract', () => {
  const cases = sinkContract({
    async create() {
      const sink = memorySink();
      return { sink, readAll: async () => sink.records, dispose: async () => undefined };
    },
  });
  test.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('memorySink', () => {
  const samples = (count: number) => Array.from({ length: count }, () => sampleRecord());

  test('drops the oldest and counts them', async () => {
    const sink = memorySink({ maxRecords: 3 });
    const records = samples(8);
    await sink.write(records.slice(0, 2));
    await sink.write(records.slice(2, 7));
    await sink.write(records.slice(7));
    expect(sink.records).toEqual(records.slice(5));
    expect(sink.dropped).toBe(5);
  });

  test('keeps 10,000 by default', async () => {
    const sink = memorySink();
    await sink.write(samples(10_001));
    expect(sink.records).toHaveLength(10_000);
    expect(sink.dropped).toBe(1);
  });

  test('knows an id again as long as it keeps its record, and no longer', async () => {
    const sink = memorySink({ maxRecords: 2 });
    const [a, b, c] = [sampleRecord(), sampleRecord(), sampleRecord()];
    await sink.write([a, b, b]);
    expect(sink.records).toEqual([a, b]);
    await sink.write([c, a]);
    expect(sink.records).toEqual([b, c]);
    await sink.write([a]);
    expect(sink.records).toEqual([c, a]);
  });

  test('clear forgets records, ids and the count', async () => {
    const sink = memorySink({ maxRecords: 1 });
    const [a, b] = [sampleRecord(), sampleRecord()];
    await sink.write([a, b]);
    sink.clear();
    expect(sink.records).toEqual([]);
    expect(sink.dropped).toBe(0);
    await sink.write([b]);
    expect(sink.records).toEqual([b]);
  });

  test.each([0, -1, 1.5, NaN, Infinity])('refuses maxRecords %s', (maxRecords) => {
    expect(() => memorySink({ maxRecords })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTIONS' }),
    );
  });
});
