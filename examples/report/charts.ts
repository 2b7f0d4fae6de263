/** Answers as pictures. */
import {
  barChartSvg,
  lineChartSvg,
  type ChartValue,
  type Grouped,
  type Misses,
  type Spend,
} from 'tokenrouter/report';

export function costByDay({ rows }: Grouped<'day' | 'tenant', Spend>): string {
  const labels = [...new Set(rows.map(({ day }) => day ?? ''))];
  const tenants = [...new Set(rows.map(({ tenant }) => tenant ?? 'no tenant'))].toSorted();
  const costs = new Map<string, ChartValue>();
  for (const { day, tenant, cost } of rows) costs.set(`${day} ${tenant ?? 'no tenant'}`, cost);
  const valueOf = (day: string, tenant: string): ChartValue => {
    const cost = costs.get(`${day} ${tenant}`);
    // A day without calls cost nothing. One whose prices are not known is a gap.
    return cost === undefined ? 0n : cost;
  };
  return lineChartSvg({
    title: 'Cost by day and tenant',
    labels,
    series: tenants.map((name) => ({ name, values: labels.map((day) => valueOf(day, name)) })),
  });
}

export function costByModel({ rows }: Grouped<'model', Spend>): string {
  return barChartSvg({
    title: 'Cost by model',
    bars: rows.map(({ model, cost }) => ({ label: model ?? 'no model', value: cost })),
  });
}

export function costOfMisses({ rows }: Grouped<'reason', Misses>): string {
  return barChartSvg({
    title: 'What was paid because prompts were not read from the cache',
    bars: rows.map(({ reason, lost }) => ({ label: reason ?? 'no reason', value: lost })),
  });
}
