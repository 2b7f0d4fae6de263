/** What lint cannot say once for all folders: time and randomness are not imported either, nor is the package itself. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const forbidden: ReadonlyArray<readonly [what: string, pattern: RegExp, sample: string]> = [
  ['the current date', /\bnew Date\(\s*\)|(?<!new )\bDate\(\)/, 'const now = new Date();'],
  [
    'timers',
    /\b(setTimeout|setInterval|scheduler|promises)\b[^;]*from '(node:)?timers/,
    `import { setTimeout as sleep } from 'node:timers/promises';`,
  ],
  [
    'a whole timer module',
    /import (\* as )?\w+ from '(node:)?timers/,
    `import * as timers from 'timers';`,
  ],
  ['perf_hooks', /['"](node:)?perf_hooks['"]/, `import { performance } from 'node:perf_hooks';`],
  [
    'randomness',
    /\b(random\w+|getRandomValues|webcrypto)\b[^;]*from '(node:)?crypto'/,
    `import {\n  createHash,\n  randomUUID,\n} from 'node:crypto';`,
  ],
  [
    'its own package',
    /(from|import\() ?'tokenrouter['/]/,
    `import { createRouter } from 'tokenrouter';`,
  ],
];

const exempt = new Set(['src/util/clock.ts', 'src/util/random.ts']);
const sources = globSync('{src,adapters}/**/*.ts', { cwd: root })
  .filter((file) => !exempt.has(file) && !file.startsWith('src/testing/'))
  .map((file) => [file, withoutComments(readFileSync(`${root}${file}`, 'utf8'))] as const);

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|(?<![:'])\/\/.*/g, '');
}

test.each(forbidden)('no source takes %s by itself', (_what, pattern, sample) => {
  expect(sample).toMatch(pattern);
  expect(sources.length).toBeGreaterThan(10);
  expect(sources.filter(([, source]) => pattern.test(source)).map(([file]) => file)).toEqual([]);
});
