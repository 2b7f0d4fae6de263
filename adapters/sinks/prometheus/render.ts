import { Histogram } from './histogram.ts';
import type { Series } from './series.ts';

/** Of the page: Prometheus' text format. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Metrics as Prometheus reads them (its text format 0.0.4, prometheus.io/docs/instrumenting/exposition_formats, 2026-11). */
export function renderPage(prefix: string, metrics: Iterable<Series | Histogram>): string {
  let page = '';
  for (const metric of metrics) {
    const { name, type, help } = metric.definition;
    const fullName = `${prefix}_${name}`;
    page += `# HELP ${fullName} ${help}\n# TYPE ${fullName} ${type}\n`;
    page += metric instanceof Histogram ? distributions(fullName, metric) : lines(fullName, metric);
  }
  return page;
}

function lines(name: string, series: Series): string {
  const { labels } = series.definition;
  let text = '';
  for (const { labels: values, value } of series.samples()) {
    text += `${name}${braced(pairs(labels, values))} ${value}\n`;
  }
  return text;
}

function distributions(name: string, histogram: Histogram): string {
  const { labels } = histogram.definition;
  let text = '';
  for (const { labels: values, buckets, count, sum } of histogram.distributions()) {
    const own = pairs(labels, values);
    for (const bucket of buckets) {
      text += `${name}_bucket${braced([...own, `le="${bucket.bound}"`])} ${bucket.count}\n`;
    }
    text += `${name}_bucket${braced([...own, 'le="+Inf"'])} ${count}\n`;
    text += `${name}_sum${braced(own)} ${sum}\n${name}_count${braced(own)} ${count}\n`;
  }
  return text;
}

function pairs(names: readonly string[], values: readonly string[]): string[] {
  return names.map((name, at) => `${name}="${escaped(values[at] ?? '')}"`);
}

function braced(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => ESCAPES[character]!);
}
