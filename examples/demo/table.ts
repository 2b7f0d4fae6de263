/** Usage records as an aligned table, and what they come to. */
import type { UsageRecord } from 'tokenrouter';
import { paint } from './screen.ts';

interface Column {
  /** One or two lines. */
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly cell: (record: UsageRecord, index: number) => string;
  /** What the last line says for all records. */
  readonly total?: (records: readonly UsageRecord[]) => string;
}

const count = (value: number | undefined): string => (value === undefined ? '-' : String(value));
const milliseconds = (value: number | undefined): string =>
  value === undefined ? '-' : value.toFixed(value < 10 ? 1 : 0);

function tokens(title: string, read: (record: UsageRecord) => number | undefined): Column {
  return {
    title,
    align: 'right',
    cell: (record) => count(read(record)),
    total: (records) => count(sum(records.map(read))),
  };
}

function dollars(title: string, read: (record: UsageRecord) => string | null | undefined): Column {
  return {
    title,
    align: 'left',
    cell: (record) => read(record) ?? '-',
    total: (records) => sumUsd(records.map(read)) ?? '-',
  };
}

const NUMBER: Column = { title: '#', align: 'right', cell: (_, index) => String(index + 1) };
const WHO: readonly Column[] = [
  { title: 'provider', align: 'left', cell: (r) => r.provider },
  { title: 'model', align: 'left', cell: (r) => r.responseModel ?? r.requestModel ?? '-' },
  { title: 'API', align: 'left', cell: (r) => r.api },
  { title: 'stream', align: 'left', cell: (r) => (r.stream ? 'yes' : 'no') },
  { title: 'outcome', align: 'left', cell: (r) => r.outcome },
];
const WHAT: readonly Column[] = [
  tokens('un-\ncached', (r) => r.usage.inputTokens.uncached),
  tokens('cache\nread', (r) => r.usage.inputTokens.cacheRead),
  tokens('cache\nwrite', cacheWrites),
  tokens('output', (r) => r.usage.outputTokens.total),
  tokens('reason-\ning', (r) => r.usage.outputTokens.reasoning),
  dollars('cost\nUSD', (r) => r.cost.usd),
  dollars('saved\nUSD', (r) => r.saved.cacheUsd),
  { title: 'first\nms', align: 'right', cell: (r) => milliseconds(r.timing.timeToFirstChunkMs) },
  { title: 'total\nms', align: 'right', cell: (r) => milliseconds(r.timing.durationMs) },
];

/** One table where `width` allows it, else two that share the numbers of their lines. */
export function usageTable(records: readonly UsageRecord[], width: number): string {
  const wide = render([NUMBER, ...WHO, ...WHAT], records);
  if (wide.width <= width) return wide.text;
  return `${render([NUMBER, ...WHO], records).text}\n\n${render([NUMBER, ...WHAT], records).text}`;
}

/** What all calls come to, in one sentence. */
export function totals(records: readonly UsageRecord[]): string {
  const input = sum(records.map((r) => r.usage.inputTokens.total)) ?? 0;
  const output = sum(records.map((r) => r.usage.outputTokens.total)) ?? 0;
  const cost = sumUsd(records.map((r) => r.cost.usd));
  const saved = sumUsd(records.map((r) => r.saved.cacheUsd));
  const unpriced = records.filter((r) => r.cost.usd === null && r.usage.grade !== 'none').length;
  return [
    `${records.length} ${records.length === 1 ? 'call' : 'calls'}: ${input} tokens in, ${output} out`,
    ...(cost === undefined ? [] : [`$${cost}`]),
    ...(unpriced === 0 ? [] : [`${unpriced} without a known price`]),
    ...(saved === undefined ? [] : [`prompt caches saved $${saved}`]),
  ].join(', ');
}

function render(
  columns: readonly Column[],
  records: readonly UsageRecord[],
): { text: string; width: number } {
  const titles = columns.map(({ title }) => title.split('\n'));
  const height = Math.max(...titles.map((lines) => lines.length));
  const head = Array.from({ length: height }, (_, line) =>
    titles.map((lines) => lines[line - height + lines.length] ?? ''),
  );
  const body = records.map((record, i) => columns.map(({ cell }) => cell(record, i)));
  const foot = columns.some(({ total }) => total !== undefined)
    ? [columns.map(({ total }) => total?.(records) ?? '')]
    : [];
  const widths = columns.map((_, i) =>
    Math.max(...[...head, ...body, ...foot].map((row) => row[i]?.length ?? 0)),
  );
  const width = widths.reduce((all, each) => all + each + 2, -2);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const size = widths[i] ?? 0;
        return columns[i]?.align === 'right' ? cell.padStart(size) : cell.padEnd(size);
      })
      .join('  ')
      .trimEnd();
  const rule = paint('dim', '─'.repeat(width));
  const text = [
    ...head.map((row) => paint('bold', line(row))),
    rule,
    ...body.map(line),
    ...(foot.length > 0 ? [rule, ...foot.map((row) => paint('bold', line(row)))] : []),
  ].join('\n');
  return { text, width };
}

function cacheWrites({ usage }: UsageRecord): number | undefined {
  return sum([usage.inputTokens.cacheWrite, usage.inputTokens.cacheWrite1h]);
}

/** Unknown numbers count as nothing; `undefined` when none is known. */
function sum(values: ReadonlyArray<number | undefined>): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0);
}

/** Records carry at most 12 decimals. */
const DECIMALS = 12;

/** Sums amounts digit by digit, because floating point would round them. `undefined` when none is known. */
function sumUsd(amounts: ReadonlyArray<string | null | undefined>): string | undefined {
  const known = amounts.filter((amount) => amount != null);
  if (known.length === 0) return undefined;
  let pico = 0n;
  for (const amount of known) {
    const [whole = '0', fraction = ''] = amount.split('.');
    pico += BigInt(whole + fraction.padEnd(DECIMALS, '0'));
  }
  const digits = String(pico < 0n ? -pico : pico).padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  return `${pico < 0n ? '-' : ''}${digits.slice(0, -DECIMALS)}${fraction && `.${fraction}`}`;
}
