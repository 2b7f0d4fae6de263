import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Sizes } from '../../../src/limits/adaptive/sizes.ts';
import { createSeededRandom } from '../../../src/testing/seeded-random.ts';
import { demand } from './demand.ts';

/** Learns from requests whose real size is a straight line over the estimated one, with noise. */
function learnt(factor: number, constant: number, noise: number, count = 200): Sizes {
  const random = createSeededRandom(5);
  const sizes = new Sizes(true);
  for (let i = 0; i < count; i++) {
    const inputTokens = Math.round(50 * 2 ** (7 * random()));
    const request = demand({ inputTokens });
    const real = (factor * inputTokens + constant) * (1 + noise * (random() - 0.5));
    sizes.learnInput(request, real, sizes.input(request), real);
  }
  return sizes;
}

describe('input', () => {
  test('as estimated until something was reported', () => {
    expect(new Sizes(true).input(demand({ inputTokens: 800 }))).toBe(800);
  });

  test('off by a factor', () => {
    expect(learnt(1.4, 0, 0.2).input(demand({ inputTokens: 1000 }))).toBeCloseTo(1400, -2);
    expect(learnt(0.7, 0, 0.2, 20).input(demand({ inputTokens: 1000 }))).toBeCloseTo(700, -2);
  });

  test('and by what every request has around its text', () => {
    const sizes = learnt(0.8, 200, 0.1);
    expect(sizes.input(demand({ inputTokens: 100 }))).toBeCloseTo(280, -1.5);
    expect(sizes.input(demand({ inputTokens: 5000 }))).toBeCloseTo(4200, -2.5);
  });

  test('chance is not taken for a constant', () => {
    const sizes = learnt(1, 0, 0.4);
    expect(Math.abs(sizes.input(demand({ inputTokens: 50 })) - 50)).toBeLessThan(8);
  });

  test('how far off estimates are shows', () => {
    expect(learnt(1, 0, 0).inputError).toBeLessThan(0.01);
    expect(learnt(1, 0, 0.4).inputError).toBeCloseTo(0.1, 1);
  });

  test('without what is read from the cache, where that does not count', () => {
    const cached = demand({ inputTokens: 1000, cachedTokens: 800 });
    expect(new Sizes(true).input(cached)).toBe(1000);
    expect(new Sizes(false).input(cached)).toBeCloseTo(200);
    expect(new Sizes(false).realInput(1000, 900)).toBe(100);
    expect(new Sizes(true).realInput(1000, 900)).toBe(1000);
    expect(new Sizes(false).realInput(undefined, 900)).toBeUndefined();
  });
});

describe('output', () => {
  test('a share of what it may be, until answers were seen', () => {
    expect(new Sizes(true).output(demand({ maxOutputTokens: 1000 }))).toBe(400);
    expect(new Sizes(true).output(demand({ maxOutputTokens: 128_000 }))).toBe(1500);
    expect(new Sizes(true).output(demand({ maxOutputTokens: undefined }))).toBe(1500);
  });

  test('learnt for each bound, and from all others where one is new', () => {
    const sizes = new Sizes(true);
    const short = demand({ maxOutputTokens: 50 });
    const long = demand({ maxOutputTokens: 4000 });
    for (let i = 0; i < 20; i++) {
      sizes.learnOutput(short, 40);
      sizes.learnOutput(long, 600);
    }
    expect(sizes.output(short)).toBeCloseTo(40);
    expect(sizes.output(long)).toBeCloseTo(600);
    expect(sizes.output(demand({ maxOutputTokens: 1000 }))).toBeCloseTo(320, -2);
    expect(sizes.output(demand({ maxOutputTokens: undefined }))).toBeCloseTo(320, -2);
  });

  test('never more than it may be', () => {
    const sizes = new Sizes(true);
    for (let i = 0; i < 10; i++) sizes.learnOutput(demand({ maxOutputTokens: undefined }), 5000);
    expect(sizes.output(demand({ maxOutputTokens: 64 }))).toBe(64);
  });

  test('knows some bounds only', () => {
    const sizes = new Sizes(true);
    for (let most = 1; most < 500; most++) sizes.learnOutput(demand({ maxOutputTokens: most }), 1);
    expect(sizes.output(demand({ maxOutputTokens: 499 }))).toBeLessThan(2);
  });
});

test('whatever is estimated and reported, sizes are sizes', () => {
  const odd = fc.oneof(fc.double(), fc.constantFrom(0, -1, NaN, Infinity, 1e300), fc.nat());
  fc.assert(
    fc.property(
      fc.array(fc.tuple(odd, odd, odd, odd)),
      fc.boolean(),
      (requests, countsCacheReads) => {
        const sizes = new Sizes(countsCacheReads);
        for (const [inputTokens, cachedTokens, maxOutputTokens, tokens] of requests) {
          const request = demand({ inputTokens, cachedTokens, maxOutputTokens });
          const real = sizes.realInput(tokens, cachedTokens);
          if (real !== undefined) sizes.learnInput(request, tokens, sizes.input(request), real);
          if (tokens >= 0 && tokens < 1e9) sizes.learnOutput(request, tokens);
          for (const size of [sizes.input(request), sizes.output(request), sizes.inputError]) {
            expect(size).toBeGreaterThanOrEqual(0);
            expect(size).toBeLessThan(1e11);
          }
        }
      },
    ),
  );
});
