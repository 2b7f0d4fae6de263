import {
  count,
  fit,
  money,
  moneyDecimals,
  numberDecimals,
  percent,
  plainText,
  widthOf,
  type Cell,
} from './cells.ts';

/** An answer whose rows are shown together with what was left out and what all come to. */
export interface TableAnswer {
  readonly rows: readonly object[];
  readonly other?: object | null | undefined;
  readonly total?: object | null | undefined;
}

export interface TableOptions {
  /** Which members of the rows are columns, in this order. Default: those of the first row. */
  columns?: readonly string[] | undefined;
  /** Longer texts are cut. Default 40. */
  maxWidth?: number | undefined;
}

/**
 * Rows as a table for a terminal: plain text, aligned, numbers to the right. Takes the rows of an answer, or the whole answer: then
 * with lines for what `top` left out and for the total.
 *
 * Money (a bigint) and numbers are rounded to what their column needs, members called `…Rate` are shown as per cent, and `-` is
 * not known. Control characters in names are not printed.
 */
export function formatTable(
  table: readonly object[] | TableAnswer,
  { columns, maxWidth = 40 }: TableOptions = {},
): string {
  const { rows, other, total }: TableAnswer = 'rows' in table ? table : { rows: table };
  const names = columns ?? Object.keys(rows[0] ?? {});
  const [first] = names;
  if (first === undefined || rows.length === 0) return 'nothing';
  const named = (name: string, row: object | null | undefined): object[] =>
    row == null ? [] : [Object.hasOwn(row, first) ? row : { [first]: name, ...row }];
  // A single row without dimensions is its own total.
  const isTotalled = !Object.hasOwn(total ?? {}, first);
  const feet = [...named('other', other), ...(isTotalled ? named('total', total) : [])];
  const cells = names.map((name) => columnOf(name, [...rows, ...feet], maxWidth));
  const widths = cells.map(({ texts }) =>
    texts.reduce((most, text) => Math.max(most, widthOf(text)), 0),
  );
  const line = (index: number): string =>
    cells
      .map(({ texts, isNumeric }, i) => pad(texts[index] ?? '', widths[i] ?? 0, isNumeric))
      .join('  ')
      .trimEnd();
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  const lines = Array.from({ length: rows.length + feet.length }, (_, index) => line(index + 1));
  return [
    line(0),
    rule,
    ...lines.slice(0, rows.length),
    ...(feet.length > 0 ? [rule, ...lines.slice(rows.length)] : []),
  ].join('\n');
}

interface Column {
  readonly isNumeric: boolean;
  /** The title first. */
  readonly texts: readonly string[];
}

function columnOf(name: string, rows: readonly object[], maxWidth: number): Column {
  const values = rows.map((row) => cellOf(row, name));
  const decimals = moneyDecimals(values.filter((value) => typeof value === 'bigint'));
  const digits = numberDecimals(values.filter((value) => typeof value === 'number'));
  const show = (value: Cell): string => {
    if (value === undefined) return '';
    if (value === null) return '-';
    if (typeof value === 'bigint') return money(value, decimals);
    if (typeof value === 'number') {
      return name.endsWith('Rate') ? percent(value) : count(value, digits);
    }
    return fit(plainText(String(value)), maxWidth);
  };
  const isNumeric = !values.some(
    (value) => typeof value === 'string' || typeof value === 'boolean',
  );
  return { isNumeric, texts: [titleOf(name), ...values.map(show)] };
}

function cellOf(row: object, name: string): Cell {
  const value: unknown = Object.hasOwn(row, name) ? Reflect.get(row, name) : undefined;
  return isCell(value) ? value : undefined;
}

function isCell(value: unknown): value is Cell {
  return value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

/** `timeToFirstChunkMs` is "time to first chunk ms", `tag:feature` is "feature". */
function titleOf(name: string): string {
  const title = name.startsWith('tag:')
    ? name.slice('tag:'.length)
    : name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return plainText(title);
}

function pad(text: string, width: number, isNumeric: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return isNumeric ? space + text : text + space;
}
