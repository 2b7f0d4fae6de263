import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { corrections } from '../../scripts/prices/corrections.ts';
import { buildPriceList } from '../../scripts/prices/build.ts';
import type { ListedModel, ListedRates, PriceList } from '../../src/pricing/price-list.ts';
import prices from '../../src/pricing/prices.json' with { type: 'json' };

const DAY = /^20\d\d-\d\d-\d\d$/;
const list: PriceList = prices;
const file = readFileSync(new URL('../../src/pricing/prices.json', import.meta.url), 'utf8');

const models: Array<[name: string, model: ListedModel]> = Object.entries(list.providers).flatMap(
  ([provider, listed]) =>
    Object.entries(listed?.models ?? {}).flatMap(([id, model]): Array<[string, ListedModel]> =>
      model === undefined ? [] : [[`${provider} ${id}`, model]],
    ),
);

describe('prices.json', () => {
  test('is what the script makes of its sources, byte for byte', () => {
    expect(buildPriceList()).toBe(file);
  });

  test('stays small: it is read at start', () => {
    expect(file.length).toBeLessThan(250_000);
    expect(models.length).toBeGreaterThan(1_000);
  });

  test('has one model a line', () => {
    expect(file.split('\n').filter((line) => line.includes('"prices":'))).toHaveLength(
      models.length,
    );
    expect(file).not.toMatch(/"prices":.*"prices":/);
  });

  test('holds rates that are whole pico-dollars per token', () => {
    const broken = models.flatMap(([name, model]) =>
      ratesOf(model).flatMap((rates) =>
        (['input', 'cacheRead', 'cacheWrite', 'cacheWrite1h', 'output'] as const)
          .filter((key) => !isWholePico(rates[key]))
          .map((key) => `${name} ${key} ${rates[key]}`),
      ),
    );
    expect(broken).toEqual([]);
  });

  test('dates the periods of a model in order, the first of known price open', () => {
    for (const [name, { prices: periods }] of models) {
      const days = periods.slice(1).map(({ from }) => from ?? '');
      const wrong = days.filter(
        (day, index) => !DAY.test(day) || (index > 0 && day <= (days[index - 1] ?? '')),
      );
      expect({ name, wrong }).toEqual({ name, wrong: [] });
    }
  });

  test('gives a name to one model only', () => {
    for (const [provider, listed] of Object.entries(list.providers)) {
      const names = Object.entries(listed?.models ?? {}).flatMap(([id, model]) => [
        id,
        ...(model?.aka ?? []),
      ]);
      const twice = names.filter((name, index) => names.indexOf(name) !== index);
      expect({ provider, twice }).toEqual({ provider, twice: [] });
    }
  });

  test('refers only to providers it has', () => {
    for (const listed of Object.values(list.providers)) {
      for (const other of [...(listed?.same ?? []), ...(listed?.borrows ?? [])]) {
        expect(Object.keys(list.providers)).toContain(other);
      }
    }
  });

  test('prices nothing at zero but what is listed as free', () => {
    const free = models.filter(([, model]) => model.prices.some(({ input }) => input === 0));
    expect(free.map(([name]) => name).filter((name) => !name.endsWith(':free'))).toEqual([]);
  });

  test('has no price for NVIDIA, whose free tier is not a price', () => {
    expect(list.providers['nvidia']).toBeUndefined();
  });

  test('gives every correction a source and a date', () => {
    const without = corrections.filter(({ source, date }) => source === '' || !DAY.test(date));
    expect(without.map(({ why }) => why)).toEqual([]);
  });
});

function ratesOf(model: ListedModel): ListedRates[] {
  const services = Object.values(model.services ?? {}).filter(
    (service) => typeof service === 'object',
  );
  return [
    ...services,
    ...model.prices.flatMap((period) =>
      [period, period.above, period.peak].filter((rates) => rates !== undefined),
    ),
  ];
}

function isWholePico(usdPerMTok: number | undefined): boolean {
  if (usdPerMTok === undefined) return true;
  return usdPerMTok >= 0 && Number(usdPerMTok.toFixed(6)) === usdPerMTok;
}
