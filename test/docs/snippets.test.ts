/**
 * A newcomer follows the pages: every snippet is written into a copy of the repository and type-checked; the files and
 * changes of CONTRIBUTING.md are linted, formatted and run there, and README.md's first program runs as it stands.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { usageRecordSchema } from '../../src/index.ts';
import { pages, root, snippetsOf, type Snippet } from './markdown.ts';

/** What snippets use without saying where it comes from. */
const PRELUDE: Readonly<Record<string, string>> = {
  Anthropic: `import Anthropic from '@anthropic-ai/sdk';`,
  ChatOpenAI: `import { ChatOpenAI } from '@langchain/openai';`,
  GoogleGenAI: `import { GoogleGenAI } from '@google/genai';`,
  Middleware: `import type { Middleware } from 'tokenrouter';`,
  OpenAI: `import OpenAI from 'openai';`,
  createOpenAI: `import { createOpenAI } from '@ai-sdk/openai';`,
  createRouter: `import { createRouter } from 'tokenrouter';`,
  isRouterError: `import { isRouterError } from 'tokenrouter';`,
  recordFetch: `import { recordFetch } from 'tokenrouter/testing';`,
  replayFetch: `import { replayFetch } from 'tokenrouter/testing';`,
  test: `import { test } from 'vitest';`,
  askAgain: 'declare function askAgain(): void;',
  cases: `declare const cases: import('tokenrouter/testing').AdapterCase[];`,
  create: `declare const create: () => Promise<import('tokenrouter/testing').SinkUnderTest>;`,
  currentKey: 'declare function currentKey(): string;',
  existingClient: `declare const existingClient: import('openai').default;`,
  handleRequest: 'declare function handleRequest(): Promise<void>;',
  init: 'declare const init: RequestInit;',
  myAdapter: `declare function myAdapter(): import('tokenrouter').ProviderAdapter;`,
  replay: `declare const replay: import('tokenrouter/testing').ReplayFetch;`,
  router: `declare const router: import('tokenrouter').Router;`,
  show: 'declare function show(chunk: unknown): void;',
  stream: 'declare const stream: AsyncIterable<unknown>;',
  url: 'declare const url: string;',
};

const snippets = pages
  .filter((page) => /^(README|CONTRIBUTING|ARCHITECTURE|AGENTS|SECURITY|docs\/)/.test(page))
  .flatMap(snippetsOf);
const inTypeScript = snippets.filter(({ language }) => language === 'ts');

/** A snippet that begins with `// path` is a file of the repository. */
const fileNameOf = ({ code }: Snippet): string | undefined => /^\/\/ (\S+\.ts)\n/.exec(code)?.[1];
const files = inTypeScript.flatMap((snippet) => {
  const path = fileNameOf(snippet);
  return path === undefined ? [] : [{ path, code: snippet.code }];
});
const changes = snippets.filter(({ language }) => language === 'diff');
const [readmeProgram] = inTypeScript.filter(({ page }) => page === 'README.md');

function withPrelude(code: string): string {
  const text = code.replaceAll(/'[^'\n]*'|\/\/.*$/gm, '');
  const missing = Object.entries(PRELUDE).filter(([name]) => {
    // A member of that name, or one of an object's, is no use of it.
    const isUsed = new RegExp(`(?<![.\\w])${name}\\b(?!\\??:)`).test(text);
    const isMade = new RegExp(
      `\\b(?:const|function|type)\\s+${name}\\b|^import[^;]*\\b${name}\\b`,
      'm',
    );
    return isUsed && !isMade.test(text);
  });
  return `${missing.map(([, declaration]) => declaration).join(' ')}\n${code}export {};\n`;
}

/** Where snippets that are no files go, so that a complaint names page and line. */
const snippetFile = ({ page, line }: Snippet): string =>
  `snippets/${page.replaceAll(/[/.]/g, '-')}-line-${line}.ts`;

let copy: string;

function write(path: string, text: string): void {
  mkdirSync(join(copy, dirname(path)), { recursive: true });
  writeFileSync(join(copy, path), text);
}

/** Runs of blanks are one: the formatter pads tables and aligns comments. */
const squeezed = (line: string): string => line.replaceAll(/(?<=\S) +/g, ' ');

/** Carries a change out: its added lines go behind the line before them, whose start the file must have once. */
function apply({ page, line, code }: Snippet): void {
  const path = /^\+\+\+ b\/(\S+)$/m.exec(code)?.[1];
  if (path === undefined) throw new Error(`${page}:${line}: expected a line "+++ b/<path>"`);
  let text = readFileSync(join(copy, path), 'utf8');
  for (const hunk of code.replace(/^---.*\n\+\+\+.*\n/, '').split(/^@@.*\n/m)) {
    const lines = hunk.split('\n');
    const before = lines.filter((each) => each.startsWith(' ')).map((each) => each.slice(1));
    const added = lines.filter((each) => each.startsWith('+')).map((each) => each.slice(1));
    const anchor = squeezed(before.at(-1) ?? '');
    const found = text.split('\n').filter((each) => squeezed(each).startsWith(anchor));
    if (found.length !== 1) {
      throw new Error(`${page}:${line}: expected one line of ${path} that begins with "${anchor}"`);
    }
    text = text.replace(found[0]!, () => [found[0], ...added].join('\n'));
  }
  writeFileSync(join(copy, path), text);
}

function run(name: string, ...args: string[]): { status: number | null; output: string } {
  const { VITEST: _, VITEST_WORKER_ID: __, CI: ___, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', name), args, {
    cwd: copy,
    encoding: 'utf8',
    env: { ...env, NO_COLOR: '1', OPENAI_API_KEY: 'none' },
  });
  return { status, output: `${stdout}${stderr}`.replaceAll(copy, '') };
}

function expectSuccess({ status, output }: ReturnType<typeof run>): void {
  expect(status, output).toBe(0);
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'tokenrouter-newcomer-'));
  for (const name of [
    'src',
    'adapters',
    'test/adapters/contract.ts',
    'test/docs/markdown.ts',
    'test/docs/reference.test.ts',
    'test/package/exports.test.ts',
    'test/helpers',
    'docs',
    'README.md',
    'ARCHITECTURE.md',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
    '.oxlintrc.json',
    '.oxfmtrc.json',
    '.gitignore',
  ]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const { path, code } of files) write(path, code);
  for (const change of changes) apply(change);
  for (const snippet of inTypeScript) {
    if (fileNameOf(snippet) === undefined) write(snippetFile(snippet), withPrelude(snippet.code));
  }
});

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

test('the pages have what is looked for', () => {
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      'adapters/acme/index.ts',
      'adapters/sinks/key-value.ts',
      'src/stages/client-request-id.ts',
    ]),
  );
  expect(changes.length).toBeGreaterThan(4);
  expect(inTypeScript.length - files.length).toBeGreaterThan(15);
});

test('every snippet compiles', () => {
  write(
    'tsconfig.snippets.json',
    JSON.stringify({
      extends: './tsconfig.json',
      compilerOptions: { noUnusedLocals: false, isolatedDeclarations: false, declaration: false },
      include: ['snippets', ...files.map(({ path }) => path)],
    }),
  );
  expect(run('tsc', '-p', 'tsconfig.snippets.json')).toEqual({ status: 0, output: '' });
}, 60_000);

describe('the files of CONTRIBUTING.md', () => {
  const paths = files.map(({ path }) => path);

  test('keep the rules of the linter and the format', () => {
    expectSuccess(run('oxlint', '--deny-warnings', ...paths));
    expectSuccess(run('oxfmt', '--check', ...paths));
  }, 30_000);

  test('work: their tests pass, and those that compare names with the code', () => {
    const tests = paths.filter((path) => path.endsWith('.test.ts'));
    const compared = ['test/package/exports.test.ts', 'test/docs/reference.test.ts'];
    const result = run('vitest', 'run', '--typecheck=false', ...tests, ...compared);
    expectSuccess(result);
    for (const path of tests) expect(result.output).toContain(path);
  }, 60_000);
});

test('the first program of README.md gives the record that README.md shows', () => {
  const fixtures = JSON.stringify(join(root, 'test/fixtures/interactions/openai.jsonl'));
  const offline = `import { replayFetch } from 'tokenrouter/testing';\nconst replay = replayFetch(${fixtures}, { ignore: ['stream'] });\n`;
  const code = readmeProgram?.code ?? '';
  expect(code).toContain('createRouter({ ');
  write('readme.ts', offline + code.replace('createRouter({ ', 'createRouter({ fetch: replay, '));
  expectSuccess(run('node', '--conditions=@tokenrouter/source', 'readme.ts'));

  const [line = '', ...more] = readFileSync(join(copy, 'usage.jsonl'), 'utf8').trim().split('\n');
  expect(more).toEqual([]);
  const record = usageRecordSchema.parse(JSON.parse(line));
  const json = snippetsOf('README.md').find(({ language }) => language === 'json')?.code ?? '';
  const { timing, ...shown } = JSON.parse(json) as { timing: object };
  expect(record).toMatchObject(shown);
  expect(Object.keys(record.timing)).toEqual(expect.arrayContaining(Object.keys(timing)));
}, 30_000);
