import { RouterError } from '../../../src/errors.ts';
import { checkOptionNames } from '../../../src/util/option-names.ts';
import type { PrometheusClient } from './host-client.ts';

export interface PrometheusSinkOptions {
  /** What all names begin with. Default `tokenrouter`. */
  prefix?: string | undefined;
  /**
   * The models that get series of their own, as they are asked for or as the provider names them; all others share the label
   * `other`. Default: none.
   */
  models?: readonly string[] | undefined;
  /**
   * `@prometheus-io/client` (or `prom-client`): shows the metrics in its `register` too, beside the host's own. For another
   * registry: `{ ...client, register }`. Default: the sink's own page alone.
   */
  client?: PrometheusClient | undefined;
  /** Upper bounds of the histograms' buckets, in seconds, ascending. Default 0.01 to 320 in 14 steps. */
  buckets?: readonly number[] | undefined;
}

export interface PrometheusSettings {
  readonly prefix: string;
  readonly models: readonly string[];
  readonly client: PrometheusClient | undefined;
  readonly buckets: readonly number[];
}

/** Calls to models take from milliseconds (an answer kept) to minutes (one with much reasoning). */
const BUCKETS: readonly number[] = [
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320,
];

const OPTIONS: Readonly<Record<keyof PrometheusSinkOptions, true>> = {
  prefix: true,
  models: true,
  client: true,
  buckets: true,
};

/** Throws `ERR_OPTIONS`. */
export function prometheusSettings(options: PrometheusSinkOptions): PrometheusSettings {
  checkOptionNames('prometheusSink', options, OPTIONS);
  const { prefix = 'tokenrouter', models = [], client, buckets = BUCKETS } = options;
  if (typeof prefix !== 'string' || !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(prefix)) {
    throw wrong('prefix', 'letters, digits and underscores, not starting with a digit', prefix);
  }
  if (!Array.isArray(models) || !models.every((model) => typeof model === 'string')) {
    throw wrong('models', 'a list of names of models', models);
  }
  const isAscending = (bound: unknown, at: number): boolean =>
    typeof bound === 'number' && bound < Infinity && bound > (at === 0 ? 0 : buckets[at - 1]!);
  if (!Array.isArray(buckets) || buckets.length === 0 || !buckets.every(isAscending)) {
    throw wrong('buckets', 'a list of ascending numbers above 0', buckets);
  }
  if (client !== undefined && !isClient(client)) {
    throw wrong(
      'client',
      '@prometheus-io/client, with Counter, Gauge, Histogram, register',
      client,
    );
  }
  return { prefix, models: [...models], client, buckets: [...buckets] };
}

function isClient(client: Partial<PrometheusClient> | null): boolean {
  return (
    typeof client?.Counter === 'function' &&
    typeof client.Gauge === 'function' &&
    typeof client.Histogram === 'function' &&
    typeof client.register?.registerMetric === 'function'
  );
}

function wrong(option: string, expected: string, got: unknown): RouterError {
  const value = typeof got === 'string' ? JSON.stringify(got.slice(0, 64)) : typeof got;
  return new RouterError(
    'ERR_OPTIONS',
    `prometheusSink: ${option} must be ${expected}, got ${value}`,
  );
}
