/** docs/metrics.md against the code, in both directions. */
import { expect, test } from 'vitest';
import { RecordMetrics } from '../../adapters/sinks/prometheus/record-metrics.ts';
import { RouterMetrics } from '../../adapters/sinks/prometheus/router-metrics.ts';
import { prometheusSettings } from '../../adapters/sinks/prometheus/settings.ts';
import { columnOf, sectionOf, tableIn } from './markdown.ts';

const page = 'docs/metrics.md';

test.each([
  ['## Counted from records', new RecordMetrics([1])],
  ['## Read from the routers', new RouterMetrics()],
])('%s', (heading, metrics) => {
  const rows = tableIn(sectionOf(page, heading)).map(([name, type, labels]) => ({
    name,
    type,
    labels: [...(labels ?? '').matchAll(/\w+/g)].map(([label]) => label),
  }));
  expect(rows).toEqual(
    metrics.all().map(({ definition: { name, type, labels } }) => ({
      name: `tokenrouter_${name}`,
      type,
      labels,
    })),
  );
});

test('## Options', () => {
  const options = sectionOf(page, '## Options');
  const defaults = prometheusSettings({});
  expect(columnOf(options)).toEqual(Object.keys(defaults));
  const { prefix, models, client, buckets } = defaults;
  expect(columnOf(options, 1)).toEqual([
    prefix,
    models.length === 0 ? 'none' : models.join(', '),
    client === undefined ? 'none' : 'given',
    `${buckets[0]} to ${buckets.at(-1)}, in ${buckets.length} steps`,
  ]);
});
