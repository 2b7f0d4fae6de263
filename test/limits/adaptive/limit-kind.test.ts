import { expect, test } from 'vitest';
import { type KindEvidence, LimitKind } from '../../../src/limits/adaptive/limit-kind.ts';

/** A minute's limit of 60, of which the oldest request leaves the minute in 20 s. */
const EVIDENCE: KindEvidence = {
  leastMs: 0,
  mostMs: 1100,
  slideMs: 20_000,
  tokenMs: 1000,
  isFirst: false,
};
const BUCKET = EVIDENCE;
const SLIDING = { ...EVIDENCE, leastMs: 15_000, mostMs: 20_500 };
const FIXED = { ...EVIDENCE, leastMs: 30_000, mostMs: 33_000 };
const first = (evidence: KindEvidence): KindEvidence => ({ ...evidence, isFirst: true });

function after(...evidence: readonly KindEvidence[]): LimitKind['kind'] {
  const kind = new LimitKind();
  for (const seen of evidence) kind.saw(seen);
  return kind.kind;
}

test('is smooth until something speaks against it', () => {
  expect(after()).toBe('smooth');
  expect(after(first(BUCKET), BUCKET)).toBe('smooth');
});

test('is sliding when there is room again as the oldest request leaves the minute', () => {
  expect(after(first(SLIDING))).toBe('sliding');
  expect(after(first(BUCKET), SLIDING, SLIDING)).toBe('sliding');
});

test('is fixed when it takes much longer than a request takes', () => {
  expect(after(first(FIXED))).toBe('fixed');
  expect(after(first(BUCKET), FIXED)).toBe('fixed');
});

test('changes with what is seen later', () => {
  expect(after(first(SLIDING), BUCKET, BUCKET)).toBe('smooth');
  expect(after(first(FIXED), BUCKET, BUCKET, BUCKET)).toBe('fixed');
  expect(after(first(FIXED), BUCKET, BUCKET, BUCKET, BUCKET)).toBe('smooth');
});

test('is no sliding window when it refuses fewer than before', () => {
  const kind = new LimitKind();
  kind.saw(first(SLIDING));
  kind.fell();
  expect(kind.kind).toBe('sliding');
  kind.fell();
  expect(kind.isWindowed).toBe(false);
});

test('learns nothing about sliding where one request takes as long', () => {
  expect(after(first({ ...SLIDING, leastMs: 500, slideMs: 1500, tokenMs: 1000 }))).toBe('smooth');
});

test('remembers the longest recovery', () => {
  const kind = new LimitKind();
  for (const seen of [first(BUCKET), FIXED, BUCKET]) kind.saw(seen);
  expect(kind.longestMs).toBe(33_000);
});
