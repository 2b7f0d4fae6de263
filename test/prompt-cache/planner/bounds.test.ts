import { describe, expect, test } from 'vitest';
import { Classes, type PrefixClass } from '../../../src/prompt-cache/planner/classes.ts';
import { withGap } from '../../../src/prompt-cache/planner/nodes.ts';
import { Planner } from '../../../src/prompt-cache/planner/planner.ts';
import { createSeededRandom } from '../../../src/testing/index.ts';
import { play, turn, type Sent } from './play.ts';
import { MARKS } from './rules.ts';

describe('what is remembered has a bound', () => {
  test('200 000 prefixes that never come back', () => {
    const planner = new Planner({ maxPrefixes: 5000 });
    const random = createSeededRandom(3);
    for (let i = 0; i < 40_000; i++) {
      const positions = Array.from({ length: 5 }, (_, depth) => ({
        block: depth,
        hash: `${random()} ${depth}`,
        tokens: 2000 * (depth + 1),
        tier: 'messages' as const,
      }));
      const sight = {
        now: i * 100,
        rules: MARKS,
        positions,
        hostMarks: [],
        shape: '',
        canMark: () => true,
      };
      planner.answered(planner.plan(sight), i * 100 + 50);
      expect(planner.prefixes).toBeLessThanOrEqual(5000);
    }
    expect(planner.prefixes).toBe(5000);
  });

  test('what is still used stays while others are forgotten', () => {
    const planner = new Planner({ maxPrefixes: 50 });
    const own = (at: number): Sent => ({ at, blocks: turn('own', [4000]) });
    let read = 0;
    for (let i = 0; i < 100; i++) {
      const others = Array.from({ length: 10 }, (_, j) => ({
        at: i * 20 + j,
        blocks: turn(`${i} ${j}`, [3000]),
      }));
      read += play([own(i * 20), ...others], { planner })[0]!.draft.expectedRead;
    }
    expect(read).toBe(99 * 4000);
  });

  test('classes are forgotten, and with them their experience', () => {
    const of = (family: string): PrefixClass => ({
      kind: 'system',
      count: 1,
      shape: family,
      family,
    });
    const classes = new Classes(30);
    const unknown = classes.odds(of('a'), 0);
    for (let i = 0; i < 20; i++) classes.open(of('a'), i).gap = 10;
    expect(classes.odds(of('a'), 100)[0]).toBeGreaterThan(unknown[0]! + 0.3);
    for (let i = 0; i < 20; i++) classes.open(of(`b${i}`), i);
    expect(classes.odds(of('a'), 100)).toEqual(unknown);
  });

  test('of a prefix that comes back for ever the last gaps are kept', () => {
    let gaps: readonly number[] = [];
    for (let i = 0; i < 100; i++) gaps = withGap(gaps, i);
    expect(gaps).toEqual([88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  });
});

describe('what is believed of a class', () => {
  const of = (more: Partial<PrefixClass> = {}): PrefixClass => ({
    kind: 'system',
    count: 1,
    shape: 's',
    family: 'f',
    ...more,
  });

  test('a family rests on the experience of its shape, and corrects it', () => {
    const classes = new Classes(100);
    for (let i = 0; i < 20; i++) classes.open(of({ family: `other ${i}` }), 0);
    const hours = 3 * 3_600_000;
    const low = classes.odds(of({ family: 'new' }), hours);
    expect(low.at(-1)).toBeLessThan(0.1);
    for (let i = 0; i < 10; i++) classes.open(of({ family: 'new' }), hours).gap = 1000;
    expect(classes.odds(of({ family: 'new' }), hours).at(-1)).toBeGreaterThan(0.8);
    expect(classes.odds(of({ family: 'another' }), hours).at(-1)).toBeLessThan(0.5);
  });

  test('other shapes and kinds learn nothing of it', () => {
    const classes = new Classes(100);
    const before = classes.odds(of({ shape: 'x' }), 9e6);
    for (let i = 0; i < 20; i++) classes.open(of(), 0);
    expect(classes.odds(of({ shape: 'x' }), 9e6)).toEqual(before);
    expect(classes.odds(of({ kind: 'tools' }), 9e6)).toEqual(
      classes.odds(of({ kind: 'tools', shape: 'x' }), 9e6),
    );
  });

  test('a prefix seen for the second time is believed in more than one seen once', () => {
    const classes = new Classes(100);
    const [once, twice] = [of(), of({ count: 2 })].map((each) => classes.odds(each, 0).at(-1)!);
    expect(twice).toBeGreaterThan(once!);
  });
});
