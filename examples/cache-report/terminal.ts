/** The report for a terminal, in at most 80 columns. */
import { styleText } from 'node:util';
import { count, dollars, percent } from './money.ts';
import { autoSentence, type Report } from './report.ts';
import { kindOf, modelsIn, plural } from './text.ts';

const WIDTH = 80;

export function terminalReport(report: Report): string {
  const { sums, period, leftOut } = report;
  const head = [plural(sums.calls, 'call'), `${count(sums.input)} input tokens`, period];
  return [
    styleText('bold', head.filter(Boolean).join(', ')),
    ...(leftOut === 0
      ? []
      : [styleText('dim', `${plural(leftOut, 'exchange')} left out: no prompt, or no usage`)]),
    '',
    ...totals(report),
    '',
    ...wrapped(autoSentence(report), 0),
    ...findings(report),
    '',
    ...conversations(report),
  ].join('\n');
}

function totals({ sums }: Report): string[] {
  const { tokens, costs, input, output, cost, unpriced } = sums;
  const outputCost = cost - costs.read - costs.written - costs.paid;
  const line = (name: string, amount: number, share: string, money: bigint): string =>
    [
      name.padEnd(14),
      count(amount).padStart(12),
      share.padStart(7),
      dollars(money).padStart(12),
      percent(money, cost).padStart(7),
    ].join('');
  return [
    styleText('dim', `${'tokens'.padStart(26)}${'cost'.padStart(19)}`),
    line('read', tokens.read, percent(tokens.read, input), costs.read),
    line('written', tokens.written, percent(tokens.written, input), costs.written),
    line('paid in full', tokens.paid, percent(tokens.paid, input), costs.paid),
    line('output', output, '', outputCost),
    styleText('bold', `${'total'.padEnd(33)}${dollars(cost).padStart(12)}`),
    ...(unpriced === 0
      ? []
      : [styleText('dim', `${plural(unpriced, 'call')} without a known price`)]),
  ];
}

function findings({ findings: found, sums }: Report): string[] {
  if (found.length === 0) return [];
  return [
    '',
    styleText('bold', 'What to change, dearest first'),
    ...found.flatMap(({ reason, what, help, calls, lost, conversations: where }) => [
      '',
      `${dollars(lost).padStart(9)}  ${styleText('red', reason)}  ${plural(calls, 'call')}, ${percent(lost, sums.cost)} of the cost, in ${numbers(where)}`,
      ...wrapped(what, 11),
      ...wrapped(help, 11).map((line) => styleText('cyan', line)),
    ]),
  ];
}

const SHOWN = 12;

/** `#1, #2`, and how many more. */
export function numbers(of: readonly number[]): string {
  const shown = of.slice(0, SHOWN / 2).map((number) => `#${number}`);
  if (of.length > shown.length) shown.push(`${of.length - shown.length} more`);
  return shown.join(', ');
}

function conversations({ conversations: all }: Report): string[] {
  const cells = all.map((conversation) => {
    const { number, sums, turns, lost } = conversation;
    return [
      `#${number}`,
      modelsIn(turns),
      kindOf(conversation),
      count(sums.input),
      percent(sums.tokens.read, sums.input),
      dollars(sums.cost),
      lost === 0n ? '' : dollars(lost),
    ];
  });
  return table(['#', 'model', '', 'input', 'read', 'cost', 'lost'], cells);
}

/** Columns 2 and 3 are words, the others numbers. */
function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  const widths = head.map((title, i) => {
    const widest = Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0));
    return Math.min(widest, 24);
  });
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const width = widths[i] ?? 0;
        const shown = cell.length > width ? `${cell.slice(0, width - 1)}…` : cell;
        return i === 1 || i === 2 ? shown.padEnd(width) : shown.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return [styleText('dim', line(head)), ...rows.map(line)];
}

function wrapped(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each);
}
