import { describe, expect, test } from 'vitest';

import {
  FAILURES_BEFORE_PARTS,
  probeAfterFailure,
  probeAfterSuccess,
  wholeBatch,
} from '../../src/delivery/probe.ts';
import type { Probe } from '../../src/delivery/probe.ts';

describe('after a failure', () => {
  const scope = { batchSize: 9, pending: 50 };

  test('a whole batch stays whole until it has failed often', () => {
    for (let failures = 1; failures < FAILURES_BEFORE_PARTS; failures++) {
      expect(probeAfterFailure(wholeBatch, failures, scope)).toBe(wholeBatch);
    }
    expect(probeAfterFailure(wholeBatch, FAILURES_BEFORE_PARTS, scope)).toEqual({
      kind: 'part',
      size: 5,
    });
  });

  test('a batch of one asks a witness', () => {
    expect(
      probeAfterFailure(wholeBatch, FAILURES_BEFORE_PARTS, { batchSize: 9, pending: 1 }),
    ).toEqual({
      kind: 'witness',
      at: 1,
    });
  });

  test('parts are halved down to one record, then witnesses are asked ever further behind', () => {
    const seen: Probe[] = [];
    let probe: Probe = { kind: 'part', size: 20 };
    while (probe.kind !== 'whole') {
      seen.push(probe);
      probe = probeAfterFailure(probe, 0, { batchSize: 20, pending: 20 });
    }
    expect(
      seen.map((at) =>
        at.kind === 'part' ? at.size : `at ${String(at.kind === 'witness' && at.at)}`,
      ),
    ).toEqual([20, 10, 5, 3, 2, 1, 'at 1', 'at 2', 'at 4', 'at 8', 'at 16']);
  });
});

describe('rounds of witnesses', () => {
  test.each([
    [1, 2],
    [1, 7],
    [4, 30],
    [200, 450],
  ])('ask in time everyone who waits (batches of %i, %i waiting)', (batchSize, pending) => {
    const asked = new Set<number>();
    for (let round = 1; round < pending; round++) {
      let probe: Probe = { kind: 'part', size: 1 };
      do {
        const failures = round * FAILURES_BEFORE_PARTS;
        probe = probeAfterFailure(probe, failures, { batchSize, pending });
        if (probe.kind === 'witness') asked.add(probe.at);
      } while (probe.kind !== 'whole');
    }
    for (let at = 1; at < pending; at++) expect(asked).toContain(at);
  });
});

describe('after a success', () => {
  test('a part stays as large as it was, or as what is left', () => {
    const part: Probe = { kind: 'part', size: 5 };
    expect(probeAfterSuccess(part, 9, 20)).toEqual(part);
    expect(probeAfterSuccess(part, 3, 20)).toEqual({ kind: 'part', size: 3 });
  });

  test('of a witness the rest is one part', () => {
    expect(probeAfterSuccess({ kind: 'witness', at: 4 }, 7, 20)).toEqual({
      kind: 'part',
      size: 7,
    });
    expect(probeAfterSuccess({ kind: 'witness', at: 4 }, 30, 20)).toEqual({
      kind: 'part',
      size: 20,
    });
  });

  test('of the last record the next batch is whole', () => {
    for (const probe of [
      wholeBatch,
      { kind: 'part', size: 5 },
      { kind: 'witness', at: 1 },
    ] as const) {
      expect(probeAfterSuccess(probe, 0, 20)).toBe(wholeBatch);
    }
  });
});
