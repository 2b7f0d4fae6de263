/**
 * Every rule of the architecture that lint enforces is broken once in a scratch copy of the layout, with lawful code beside it.
 * A gate that no longer closes, or that closes too far, fails here.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Who may not import what. */
const forbiddenImports: ReadonlyArray<readonly [file: string, specifier: string]> = [
  // A stage: no other stage, adapter or sink; not the router.
  ['src/stages/a1.ts', './b.ts'],
  ['src/stages/a2.ts', './limit/index.ts'],
  ['src/stages/a3.ts', '../../adapters/openai/index.ts'],
  ['src/stages/a4.ts', '../../adapters/sinks/memory.ts'],
  ['src/stages/a5.ts', '../router.ts'],
  ['src/stages/a6.ts', '../pipeline.ts'],
  ['src/stages/a7.ts', '../index.ts'],
  ['src/stages/dedupe/a1.ts', '../b.ts'],
  ['src/stages/dedupe/a2.ts', '../limit/core.ts'],
  ['src/stages/dedupe/a3.ts', '../../stages/b.ts'],
  ['src/stages/dedupe/a4.ts', '../../../adapters/openai/index.ts'],
  ['src/stages/dedupe/a5.ts', '../../../adapters/stores/memory.ts'],
  ['src/stages/dedupe/a6.ts', '../../router.ts'],
  ['src/stages/dedupe/a7.ts', '../../pipeline.ts'],

  // The parts below the stages know none of them.
  ...['answer', 'delivery', 'http', 'limits', 'pricing', 'prompt-cache', 'tokens'].flatMap(
    (part) => [
      [`src/${part}/a1.ts`, '../stages/b.ts'] as const,
      [`src/${part}/a2.ts`, '../../adapters/openai/index.ts'] as const,
      [`src/${part}/a3.ts`, '../router.ts'] as const,
      [`src/${part}/a4.ts`, '../pipeline.ts'] as const,
    ],
  ),
  ['src/types.ts', './stages/b.ts'],
  ['src/errors.ts', '../adapters/openai/index.ts'],
  ['src/call.ts', './router.ts'],
  ['src/util/a1.ts', '../pricing/core.ts'],
  ['src/options.ts', './testing/index.ts'],

  // Adapters, sinks and stores are leaves.
  ['adapters/openai/a1.ts', '../../src/stages/b.ts'],
  ['adapters/openai/a2.ts', '../../src/router.ts'],
  ['adapters/openai/a3.ts', '../../src/pricing/core.ts'],
  ['adapters/openai/a4.ts', '../anthropic/index.ts'],
  ['adapters/openai/a5.ts', '../sinks/memory.ts'],
  ['adapters/openai/a6.ts', '../../src/limits/verdict.ts'],
  ['adapters/gemini/a1.ts', '../nvidia/index.ts'],
  ['adapters/gemini/a2.ts', '../../src/stages/b.ts'],
  ['adapters/gemini/a3.ts', '../../src/limits/verdict.ts'],
  ['adapters/openai-compatible/a1.ts', '../../src/pricing/core.ts'],
  ['adapters/openai-compatible/a2.ts', '../sinks/memory.ts'],
  ['adapters/shared/a1.ts', '../openai/index.ts'],
  ['adapters/sinks/a1.ts', './memory.ts'],
  ['adapters/sinks/a2.ts', '../openai/index.ts'],
  ['adapters/sinks/a3.ts', '../../src/delivery/core.ts'],
  ['adapters/sinks/a4.ts', '../../src/stages/b.ts'],
  ['adapters/sinks/a5.ts', '../../src/router.ts'],
  ['adapters/stores/a1.ts', '../sinks/memory.ts'],
];

const IMPORTS = 'eslint(no-restricted-imports)';
const GLOBALS = 'eslint(no-restricted-globals)';
const PROPERTIES = 'eslint(no-restricted-properties)';

/** What code may not do. */
const forbiddenCode: ReadonlyArray<readonly [file: string, code: string, rule: string]> = [
  ['src/stages/c1.ts', `import type { X } from './b.ts'; export type Y = X;`, IMPORTS],
  ['src/stages/c2.ts', `export const x = (): unknown => import('./b.ts');`, IMPORTS],
  ['src/tokens/c1.ts', `export { x } from './c2.ts';`, 'import(no-cycle)'],
  ['src/tokens/c3.ts', `export default 1;`, 'import(no-default-export)'],
  ['src/tokens/c4.ts', `${'void 0;\n'.repeat(351)}export {};`, 'eslint(max-lines)'],
  ['src/tokens/C5.ts', `export {};`, 'unicorn(filename-case)'],
  ['src/tokens/c6.ts', `Promise.resolve(); export {};`, 'typescript(no-floating-promises)'],
  ['src/tokens/c7.ts', `export let x: any;`, 'typescript(no-explicit-any)'],
  [
    'src/tokens/c8.ts',
    `export const x = (y: unknown): string => y as string;`,
    'typescript(no-unsafe-type-assertion)',
  ],
];

/** Time and randomness that do not come from Clock and Random. */
const ambient: ReadonlyArray<readonly [code: string, rule: string]> = [
  ...[
    'performance.now()',
    'setTimeout(f)',
    'setInterval(f)',
    'clearTimeout(f)',
    'clearInterval(f)',
  ].map((code) => [code, GLOBALS] as const),
  ...[
    'Date.now()',
    'process.hrtime()',
    'process.uptime()',
    'AbortSignal.timeout(1)',
    'globalThis.Date.now()',
    'globalThis.performance.now()',
    'globalThis.setTimeout(f)',
    'globalThis.setInterval(f)',
    'globalThis.crypto.randomUUID()',
    'globalThis.Math.random()',
    'Math.random()',
    'crypto.getRandomValues(f)',
    'crypto.randomUUID()',
    'crypto.randomBytes(1)',
    'crypto.randomInt(1)',
  ].map((code) => [code, PROPERTIES] as const),
];
const using = (code: string): string => `export const x = (f: never): unknown => ${code};`;
const ambientFiles = ambient.flatMap(([code, rule], i) =>
  ['src', 'src/stages', 'src/util', 'adapters/sinks'].map(
    (part) => [`${part}/ambient-${i}.ts`, using(code), rule] as const,
  ),
);

const imports = (...specifiers: string[]): string =>
  specifiers.map((specifier, i) => `export { x as x${i} } from '${specifier}';\n`).join('');

const allowed: ReadonlyArray<readonly [file: string, code: string]> = [
  ['src/stages/b.ts', imports('../types.ts', '../util/clock.ts', '../pricing/core.ts')],
  ['src/stages/d1.ts', `import type { Stage } from '../stage.ts'; export type X = Stage;`],
  ['src/stages/limit/index.ts', imports('./core.ts', '../../types.ts', '../../limits/core.ts')],
  ['src/tokens/c2.ts', `${imports('./c1.ts')}export const x = 1;`],
  ['src/util/d1.ts', imports('./clock.ts', '../types.ts', '../errors.ts')],
  ['adapters/openai/index.ts', imports('./usage.ts', '../shared/x.ts', '../../src/util/x.ts')],
  ['adapters/shared/rate-limits.ts', imports('../../src/limits/types.ts', './x.ts')],
  ['adapters/gemini/rate-limits.ts', imports('../../src/limits/types.ts', '../shared/x.ts')],
  ['adapters/deepseek/index.ts', imports('../openai-compatible/index.ts', '../../src/types.ts')],
  [
    'adapters/sinks/memory.ts',
    imports('../../src/types.ts', '../../src/util/x.ts', '../shared/x.ts'),
  ],
  ['src/index.ts', imports('./router.ts', './types.ts')],
  ...['src/util/clock.ts', 'src/util/random.ts', 'src/testing/index.ts', 'bench/a.ts'].map(
    (file) => [file, ambient.map(([code]) => code).join(';\n')] as const,
  ),
];

const planted = [
  ...forbiddenImports.map(([file, specifier]) => [file, imports(specifier)] as const),
  ...[...forbiddenCode, ...ambientFiles].map(([file, code]) => [file, code] as const),
  ...allowed,
];

let folder: string;
let report: { diagnostics: ReadonlyArray<{ code: string; filename: string }> };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenrouter-lint-'));
  for (const file of ['.gitignore', '.oxlintrc.json', 'tsconfig.json']) {
    copyFileSync(join(root, file), join(folder, file));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, source] of planted) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), `${source}\n`);
  }
  const lint = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['--type-aware', '-f', 'json'], {
    cwd: folder,
    encoding: 'utf8',
  });
  report = JSON.parse(lint.stdout) as typeof report;
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function reportedIn(file: string): string[] {
  return report.diagnostics.filter(({ filename }) => filename === file).map(({ code }) => code);
}

test('no file is planted over another', () => {
  const files = planted.map(([file]) => file);
  expect(files).toEqual([...new Set(files)]);
});

describe('lint reports', () => {
  test.each(forbiddenImports)('%s importing %s', (file) => {
    expect(reportedIn(file)).toContain(IMPORTS);
  });

  test.each([...forbiddenCode, ...ambientFiles])('%s: %s', (file, _code, rule) => {
    expect(reportedIn(file)).toContain(rule);
  });
});

test.each(allowed)('lint lets pass %s', (file) => {
  const architecture = reportedIn(file).filter((rule) =>
    [IMPORTS, GLOBALS, PROPERTIES].includes(rule),
  );
  expect(architecture).toEqual([]);
});
