/** The tables of docs/opentelemetry.md against the code, in both directions. */
import { expect, test } from 'vitest';

import {
  CACHE_WRITE,
  COST,
  ERROR_TYPE,
  GEN_AI,
  HTTP_STATUS,
  LOG_UID,
  METRICS,
  OWN,
  TAG_PREFIX,
} from '../../../adapters/sinks/otlp/names.ts';
import { CHECKS } from '../../../adapters/sinks/otlp/options.ts';
import { columnOf, sectionOf, tableIn } from '../../docs/markdown.ts';

const page = 'docs/opentelemetry.md';

test('every attribute is documented', () => {
  expect(columnOf(sectionOf(page, '## Names')).sort()).toEqual(
    [
      ...Object.values(GEN_AI),
      ...Object.values(CACHE_WRITE),
      ...Object.values(COST),
      ERROR_TYPE,
      HTTP_STATUS,
      LOG_UID,
      ...Object.values(OWN),
      `${TAG_PREFIX}<name>`,
    ].sort(),
  );
});

test('every metric is documented, with its type and unit', () => {
  const documented = tableIn(sectionOf(page, '## Metrics')).map((row) => row.slice(0, 3).join(' '));
  const made = Object.values(METRICS).map(({ name, kind, unit }) => [name, kind, unit].join(' '));
  expect(documented.sort()).toEqual(made.sort());
});

test('every option is documented', () => {
  const cells = columnOf(sectionOf(page, '## Options'));
  const named = cells.flatMap((cell) => cell.split(', ').map((each) => each.replaceAll('`', '')));
  expect(named.sort()).toEqual([...CHECKS.keys()].sort());
});
