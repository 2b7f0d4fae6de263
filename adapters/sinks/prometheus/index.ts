import type { RouterView, Sink } from '../../../src/types.ts';
import { LatestIds } from '../../../src/util/latest.ts';
import { countRecord } from './count-record.ts';
import { Histogram } from './histogram.ts';
import { showIn, type ShownSeries } from './host-client.ts';
import { Labels } from './labels.ts';
import { RecordMetrics } from './record-metrics.ts';
import { CONTENT_TYPE, renderPage } from './render.ts';
import { RouterMetrics } from './router-metrics.ts';
import { AttachedRouters } from './routers.ts';
import { prometheusSettings, type PrometheusSinkOptions } from './settings.ts';

export type { PrometheusSinkOptions } from './settings.ts';
export type {
  ClientCounter,
  ClientGauge,
  ClientHistogram,
  ClientMetricOptions,
  ClientRegistry,
  PrometheusClient,
} from './host-client.ts';

export interface PrometheusSink extends Sink {
  /** The page that Prometheus reads: its text format 0.0.4. Also after `close`. */
  metrics(): string;
  /** The page's `content-type`. */
  readonly contentType: string;
  /** Answers a `GET` or `HEAD` with the page, whatever its URL; anything else with 405. */
  handler(this: void, request: Request): Response;
  attach(router: RouterView): void;
}

/**
 * Counts records for Prometheus, each once, and shows what its routers are doing whenever it is asked. Nothing is stored: the
 * counts begin anew with the process, as Prometheus expects.
 *
 * No label ever holds a tenant, user, key, session or tag. Every label has at most 50 values; what comes after that is
 * `other`, as are models that are not listed. Several routers may share one sink, which adds them up and closes with the
 * last of them.
 *
 * Throws `ERR_OPTIONS` for wrong options, and where a name is taken in the client's registry.
 */
export function prometheusSink(options: PrometheusSinkOptions = {}): PrometheusSink {
  const { prefix, models, client, buckets } = prometheusSettings(options);
  const labels = new Labels(models);
  const counted = new RecordMetrics(buckets);
  const routers = new AttachedRouters(labels);
  const ids = new LatestIds();
  let attached = 0;
  let closings = 0;
  let closed = false;

  /** One reading for all metrics of a page: a client asks for each in turn, without a pause. */
  let reading: RouterMetrics | undefined;
  function currentReading(): RouterMetrics {
    if (reading === undefined) {
      reading = routers.read();
      queueMicrotask(() => (reading = undefined));
    }
    return reading;
  }

  const release = client && showIn(client, prefix, [...shownCounts(counted), ...shownReadings()]);

  function shownReadings(): ShownSeries[] {
    return new RouterMetrics().all().map(({ definition }, at) => ({
      definition,
      current: () => currentReading().all()[at]!,
    }));
  }

  function metrics(): string {
    return renderPage(prefix, [...counted.all(), ...routers.read().all()]);
  }

  return {
    name: 'prometheus',
    contentType: CONTENT_TYPE,
    metrics,
    handler(request) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } });
      }
      const body = request.method === 'HEAD' ? null : metrics();
      return new Response(body, { headers: { 'content-type': CONTENT_TYPE } });
    },
    attach(router) {
      attached++;
      routers.attach(router);
    },
    async write(records) {
      if (closed) throw new Error('prometheusSink: write after close; make a new sink');
      for (const record of records) {
        // Noted first: one that cannot be counted must not be counted in part again and again.
        if (ids.add(record.id)) countRecord(counted, labels, record);
      }
    },
    async close() {
      closings++;
      if (closings < attached) return;
      closed = true;
      release?.();
    },
  };
}

function shownCounts(counted: RecordMetrics): Array<Histogram | ShownSeries> {
  return counted
    .all()
    .map((metric) =>
      metric instanceof Histogram
        ? metric
        : { definition: metric.definition, current: () => metric },
    );
}
