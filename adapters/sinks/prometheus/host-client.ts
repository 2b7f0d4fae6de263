import { RouterError } from '../../../src/errors.ts';
import { Histogram } from './histogram.ts';
import type { Series, SeriesDefinition } from './series.ts';

/** The part of `@prometheus-io/client` that is used; `prom-client`, its old name, fits too. */
export interface PrometheusClient {
  readonly Counter: new (configuration: ClientMetricOptions) => ClientCounter;
  readonly Gauge: new (configuration: ClientMetricOptions) => ClientGauge;
  readonly Histogram: new (
    configuration: ClientMetricOptions & { buckets: number[] },
  ) => ClientHistogram;
  /** Where the metrics are registered. */
  readonly register: ClientRegistry;
}

export interface ClientRegistry {
  getSingleMetric(name: string): object | undefined;
  removeSingleMetric(name: string): void;
  registerMetric(metric: ClientCounter | ClientGauge | ClientHistogram): void;
}

export interface ClientMetricOptions {
  name: string;
  help: string;
  labelNames: string[];
  /** How several processes add up. */
  aggregator: 'sum' | 'max' | 'min';
  /** None: they are registered afterwards, all or none. */
  registers: [];
  /** Called whenever the registry is asked for its page. */
  collect?: () => void;
}

export interface ClientCounter {
  reset(): void;
  inc(labels: Record<string, string>, value: number): void;
}

export interface ClientGauge {
  reset(): void;
  remove(): void;
  set(labels: Record<string, string>, value: number): void;
}

export interface ClientHistogram {
  reset(): void;
  observe(labels: Record<string, string>, value: number): void;
}

/** A counter or gauge, and how it stands when the page is asked for. */
export interface ShownSeries {
  readonly definition: SeriesDefinition;
  readonly current: () => Series;
}

/** Of sinks that are closed. They stay on the page until another sink takes their names. */
const released = new WeakSet<object>();

/**
 * Shows metrics in the host's registry. Counters and gauges are filled in when the registry is asked for its page, from the
 * sink's own exact sums; histograms are told of every value. Returns how to let go of the names. Throws `ERR_OPTIONS` when
 * one of them is taken.
 */
export function showIn(
  client: PrometheusClient,
  prefix: string,
  metrics: ReadonlyArray<Histogram | ShownSeries>,
): () => void {
  const { register } = client;
  const shown = new Map<string, ClientCounter | ClientGauge | ClientHistogram>();
  for (const metric of metrics) {
    const name = `${prefix}_${metric.definition.name}`;
    const taken = register.getSingleMetric(name);
    if (taken !== undefined && !released.has(taken)) {
      throw new RouterError(
        'ERR_OPTIONS',
        `prometheusSink: the registry has a metric ${name} already; ` +
          'share one sink between routers, or give this one a prefix or a registry of its own',
      );
    }
    shown.set(
      name,
      metric instanceof Histogram
        ? shownHistogram(client, name, metric)
        : shownSeries(client, name, metric),
    );
  }
  for (const [name, metric] of shown) {
    register.removeSingleMetric(name);
    register.registerMetric(metric);
  }
  return () => {
    for (const metric of shown.values()) released.add(metric);
  };
}

function shownHistogram(
  client: PrometheusClient,
  name: string,
  metric: Histogram,
): ClientHistogram {
  const { help, labels } = metric.definition;
  const shown = new client.Histogram({
    name,
    help,
    labelNames: [...labels],
    aggregator: 'sum',
    registers: [],
    buckets: [...metric.buckets],
  });
  metric.onObserve = (values, seconds) => {
    shown.observe(byName(labels, values), seconds);
  };
  return shown;
}

function shownSeries(
  client: PrometheusClient,
  name: string,
  { definition, current }: ShownSeries,
): ClientCounter | ClientGauge {
  const { type, help, labels, merge = 'sum' } = definition;
  const samples = (): Array<[labels: Record<string, string>, value: number]> =>
    current()
      .samples()
      .map((sample) => [byName(labels, sample.labels), Number(sample.value)]);
  const options = { name, help, labelNames: [...labels], aggregator: merge, registers: [] as [] };
  if (type === 'counter') {
    const counter: ClientCounter = new client.Counter({
      ...options,
      collect() {
        counter.reset();
        for (const sample of samples()) counter.inc(...sample);
      },
    });
    return counter;
  }
  const gauge: ClientGauge = new client.Gauge({
    ...options,
    collect() {
      gauge.reset();
      const known = samples();
      // Without labels it is 0 now, which is not what unknown means.
      if (known.length === 0 && labels.length === 0) gauge.remove();
      for (const sample of known) gauge.set(...sample);
    },
  });
  return gauge;
}

function byName(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']));
}
