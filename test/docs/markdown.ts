import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** Every page of the project, relative to its root. */
export const pages: readonly string[] = globSync(
  ['*.md', '{bench,deploy,docs,examples,test}/**/*.md', '.github/**/*.md'],
  { cwd: root },
).toSorted();

export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** A fenced block of code. */
export interface Snippet {
  readonly page: string;
  /** Of its first line of code. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

export function snippetsOf(page: string): Snippet[] {
  const found: Snippet[] = [];
  let open: { line: number; language: string; code: string[] } | undefined;
  for (const [index, line] of readPage(page).split('\n').entries()) {
    const fence = /^```(\S*)/.exec(line);
    if (fence === null) open?.code.push(line);
    else if (open === undefined) open = { line: index + 2, language: fence[1] ?? '', code: [] };
    else {
      const { code, ...start } = open;
      found.push({ page, ...start, code: `${code.join('\n')}\n` });
      open = undefined;
    }
  }
  return found;
}

/** The part of a page below a heading, up to the next of the same or a higher level. */
export function sectionOf(page: string, heading: string): string {
  const lines = readPage(page).split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`${page}: expected a heading "${heading}"`);
  const level = heading.indexOf(' ');
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => {
    const other = /^#+(?= )/.exec(line)?.[0];
    return other !== undefined && other.length <= level;
  });
  return rest.slice(0, end < 0 ? undefined : end).join('\n');
}

/** The body of the first table in a text, cell by cell, without the backticks around whole cells. */
export function tableIn(text: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const rest = lines.slice(start);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(2, end < 0 ? undefined : end).map((line) =>
    line
      .replace(/^\|\s*|\s*\|$/g, '')
      .split(/\s*(?<!\\)\|\s*/)
      .map((cell) => cell.replace(/^`([^`]*)`$/, '$1').replaceAll(String.raw`\|`, '|')),
  );
}

/** One column of it. */
export function columnOf(text: string, column = 0): string[] {
  return tableIn(text).map((row) => row[column] ?? '');
}

/** The first number in a cell: `10 000` is 10000. */
export function numberIn(cell: string | undefined): number {
  const digits = /\d[\d ]*/.exec(cell ?? '')?.[0].replaceAll(' ', '');
  if (digits === undefined) throw new Error(`expected a number in "${cell ?? ''}"`);
  return Number(digits);
}
