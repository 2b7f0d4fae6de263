import { RouterError } from '../../../src/errors.ts';
import type { Names } from './names.ts';
import type { Run } from './queryable.ts';

/** Has the shape of an entry of the router's option `prices`. US dollars per million tokens. */
export interface PostgresPrice {
  /** As in `UsageRecord.provider`. Default: every provider, an empty text in the table. */
  readonly provider?: string | undefined;
  readonly model: string;
  /** First day of the price, `YYYY-MM-DD`, UTC. Default: always, 1970-01-01 in the table. */
  readonly validFrom?: string | undefined;
  readonly inputUsdPerMTok: string | number;
  readonly outputUsdPerMTok: string | number;
  /** Default: as plain input. */
  readonly cacheReadUsdPerMTok?: string | number | undefined;
  /** Default: as plain input. */
  readonly cacheWriteUsdPerMTok?: string | number | undefined;
  /** Default: as other writes. */
  readonly cacheWrite1hUsdPerMTok?: string | number | undefined;
}

/** Throws for what PostgreSQL would refuse at each write. */
export function checkPrices(prices: readonly PostgresPrice[]): void {
  if (!Array.isArray(prices)) throw wrong('prices', 'a list', typeof prices);
  for (const [index, price] of prices.entries()) {
    const { provider = '', model, validFrom = '1970-01-01' } = price;
    if (typeof model !== 'string' || model === '' || UNFIT.test(model + provider)) {
      throw wrong(`prices[${index}].model`, 'a name', typeof model);
    }
    if (!isDay(validFrom)) throw wrong(`prices[${index}].validFrom`, 'YYYY-MM-DD', validFrom);
    for (const rate of RATES) {
      const value = price[rate];
      const isOptional = rate.startsWith('cache');
      if (value === undefined ? !isOptional : !/^\d{1,9}(?:\.\d{1,12})?$/.test(decimal(value))) {
        throw wrong(`prices[${index}].${rate}`, 'US dollars per million tokens', String(value));
      }
    }
  }
}

const RATES = [
  'inputUsdPerMTok',
  'outputUsdPerMTok',
  'cacheReadUsdPerMTok',
  'cacheWriteUsdPerMTok',
  'cacheWrite1hUsdPerMTok',
] as const;

const UNFIT = /[\0\p{Surrogate}]/u;

function isDay(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** Small numbers print with an exponent. */
function decimal(value: string | number): string {
  return typeof value === 'string' ? value : value.toFixed(12);
}

function wrong(option: string, expected: string, got: string): RouterError {
  return new RouterError(
    'ERR_OPTIONS',
    `postgresSink: ${option} must be ${expected}, got ${JSON.stringify(got)}`,
  );
}

/** Adds what is not there and corrects what is. Prices that are no longer given stay: old records were paid by them. */
export async function storePrices(
  run: Run,
  names: Names,
  prices: readonly PostgresPrice[],
): Promise<void> {
  if (prices.length === 0) return;
  await run(
    `INSERT INTO ${names.table('model_pricing')} AS kept
SELECT DISTINCT ON (1, 2, 3) provider, model, valid_from, input, coalesce(cache_read, input),
  coalesce(cache_write, input), coalesce(cache_write_1h, cache_write, input), output
FROM json_to_recordset($1::text::json) AS price (position integer, provider text, model text, valid_from date,
  input numeric, cache_read numeric, cache_write numeric, cache_write_1h numeric, output numeric)
ORDER BY 1, 2, 3, position DESC
ON CONFLICT (provider, model, valid_from) DO UPDATE SET
  input_usd_per_mtok = excluded.input_usd_per_mtok,
  cache_read_usd_per_mtok = excluded.cache_read_usd_per_mtok,
  cache_write_usd_per_mtok = excluded.cache_write_usd_per_mtok,
  cache_write_1h_usd_per_mtok = excluded.cache_write_1h_usd_per_mtok,
  output_usd_per_mtok = excluded.output_usd_per_mtok
WHERE kept IS DISTINCT FROM excluded`,
    [JSON.stringify(prices.map(rowOf))],
  );
}

function rowOf(price: PostgresPrice, position: number): object {
  return {
    position,
    provider: price.provider ?? '',
    model: price.model,
    valid_from: price.validFrom ?? '1970-01-01',
    input: price.inputUsdPerMTok,
    cache_read: price.cacheReadUsdPerMTok,
    cache_write: price.cacheWriteUsdPerMTok,
    cache_write_1h: price.cacheWrite1hUsdPerMTok,
    output: price.outputUsdPerMTok,
  };
}
