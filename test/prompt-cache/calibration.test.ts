import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Calibration, createCalibrations } from '../../src/prompt-cache/calibration.ts';
import type { TokenUsage } from '../../src/types.ts';

const usage = (total: number | undefined, grade: TokenUsage['grade'] = 'exact'): TokenUsage => ({
  inputTokens: { total },
  outputTokens: { total: 1 },
  grade,
});

const MINUTE = 60_000;

describe('the size of a token', () => {
  test('one until something was reported', () => {
    expect(new Calibration().scale).toBe(1);
  });

  test('the first report is believed, later ones correct it', () => {
    const calibration = new Calibration();
    calibration.measured(usage(1300), 1000);
    expect(calibration.scale).toBeCloseTo(1.3);
    calibration.measured(usage(1100), 1000);
    expect(calibration.scale).toBeCloseTo(1.26);
    for (let i = 0; i < 30; i++) calibration.measured(usage(1100), 1000);
    expect(calibration.scale).toBeCloseTo(1.1, 2);
  });

  test.each([
    ['an estimate', usage(5000, 'estimated'), 1000],
    ['nothing reported', usage(undefined), 1000],
    ['a short prompt', usage(900), 199],
  ])('%s says nothing', (_name, given, estimated) => {
    const calibration = new Calibration();
    calibration.measured(given, estimated);
    expect(calibration.scale).toBe(1);
  });

  test('never more than fourfold off, whatever is reported', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat())), (reports) => {
        const calibration = new Calibration();
        for (const [total, estimated] of reports) calibration.measured(usage(total), estimated);
        expect(calibration.scale).toBeGreaterThanOrEqual(0.25);
        expect(calibration.scale).toBeLessThanOrEqual(4);
      }),
    );
  });
});

describe('standing down', () => {
  const miss = (calibration: Calibration, count: number, now: number): void => {
    for (let i = 0; i < count; i++) calibration.compared(false, now);
  };

  test('after three surprises in a row, for ten minutes', () => {
    const calibration = new Calibration();
    miss(calibration, 2, 0);
    expect(calibration.isStandingDown(0)).toBe(false);
    miss(calibration, 1, 1000);
    expect(calibration.isStandingDown(1000)).toBe(true);
    expect(calibration.isStandingDown(1000 + 10 * MINUTE - 1)).toBe(true);
    expect(calibration.isStandingDown(1000 + 10 * MINUTE)).toBe(false);
  });

  test('not after surprises with a success between them', () => {
    const calibration = new Calibration();
    for (let i = 0; i < 10; i++) {
      miss(calibration, 2, 0);
      calibration.compared(true, 0);
    }
    expect(calibration.isStandingDown(0)).toBe(false);
  });

  test('each time twice as long, up to half a day; a success begins anew', () => {
    const calibration = new Calibration();
    const lengths: number[] = [];
    let now = 0;
    for (let i = 0; i < 9; i++) {
      miss(calibration, 3, now);
      const began = now;
      while (calibration.isStandingDown(now)) now += 5 * MINUTE;
      lengths.push((now - began) / MINUTE);
    }
    expect(lengths).toEqual([10, 20, 40, 80, 160, 320, 640, 640, 640]);
    calibration.compared(true, now);
    miss(calibration, 3, now);
    expect(calibration.isStandingDown(now + 10 * MINUTE)).toBe(false);
  });
});

test('each scope has its own calibration, and the oldest of very many are forgotten', () => {
  const of = createCalibrations();
  of('a').measured(usage(3000), 1000);
  expect(of('a').scale).toBe(3);
  expect(of('b').scale).toBe(1);
  for (let i = 0; i < 1000; i++) of(`other ${i}`);
  expect(of('a').scale).toBe(1);
});
