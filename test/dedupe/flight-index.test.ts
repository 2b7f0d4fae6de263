import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlightIndex } from '../../src/dedupe/flight-index.ts';
import type { Flight } from '../../src/dedupe/flight.ts';

/** Counts how often a key was made. */
let made = 0;

function questionOf(key: string): Flight['question'] {
  return {
    length: key.length,
    get key() {
      made++;
      return key;
    },
  } as Flight['question'];
}

function flightOf(key: string): Flight {
  return { question: questionOf(key) } as Flight;
}

test('a request that is alone with its length needs no key', () => {
  const index = new FlightIndex();
  made = 0;
  for (const flight of ['a', 'bb', 'ccc'].map(flightOf)) {
    expect(index.find(flight.question)).toBeUndefined();
    index.add(flight);
    expect([...index].length).toBe(1);
    index.delete(flight);
  }
  expect(made).toBe(0);
  expect([...index]).toEqual([]);
});

const KEYS = ['aa', 'ab', 'ba', 'bb', 'aaa', 'bbb'];

test('finds what a map by key would find, whatever comes and goes', () => {
  const step = fc.record({ key: fc.constantFrom(...KEYS), isEnd: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = new FlightIndex();
      const plain = new Map<string, Flight>();
      for (const { key, isEnd } of steps) {
        const known = plain.get(key);
        expect(index.find(questionOf(key))).toBe(known);
        if (known === undefined) {
          const flight = flightOf(key);
          index.add(flight);
          plain.set(key, flight);
        } else if (isEnd) {
          index.delete(known);
          plain.delete(key);
        }
        expect(new Set(index)).toEqual(new Set(plain.values()));
      }
    }),
  );
});
