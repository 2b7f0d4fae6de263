import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));
const { './package.json': own, ...entries } = manifest.exports;
const sources = Object.values(entries).map((entry) => entry['@tokenrouter/source']);

/** Files that are an entry by where they lie, and the name under which users import them. */
function entryNames(): ReadonlyMap<string, string> {
  const named = new Map<string, string>([['./src/index.ts', '.']]);
  for (const file of globSync('src/{report,testing,server}/index.ts', { cwd: root })) {
    named.set(`./${file}`, file.replace(/^src\/(.*)\/index\.ts$/, './$1'));
  }
  for (const file of globSync('adapters/*/index.ts', { cwd: root })) {
    if (!/\/(shared|sinks|stores)\//.test(file))
      named.set(`./${file}`, `./${file.slice(0, -'/index.ts'.length)}`);
  }
  for (const file of globSync('adapters/{sinks,stores}/{*.ts,*/index.ts}', { cwd: root })) {
    named.set(`./${file}`, file.replace(/^adapters\/(.*?)(?:\/index)?\.ts$/, './$1'));
  }
  return named;
}

describe('exports', () => {
  test('name exactly the files that are entries', () => {
    const declared = Object.entries(entries).map(([name, entry]) => [
      entry['@tokenrouter/source'],
      name,
    ]);
    expect(Object.fromEntries(declared)).toEqual(Object.fromEntries(entryNames()));
  });

  test.each(Object.entries(entries))(
    '%s gives source, types and code, in this order',
    (name, entry) => {
      const built = entry['@tokenrouter/source'].replace(/^\.\//, './dist/').replace(/\.ts$/, '');
      expect(Object.entries(entry)).toEqual([
        ['@tokenrouter/source', entry['@tokenrouter/source']],
        ['types', `${built}.d.ts`],
        ['default', `${built}.js`],
      ]);
      expect(name).not.toContain('*');
    },
  );

  test('main and types say the same for tools that do not read exports', () => {
    expect(manifest.main).toBe(entries['.'].default);
    expect(manifest.types).toBe(entries['.'].types);
    expect(own).toBe('./package.json');
  });

  test('what is exported is published', () => {
    const published = sources.map((source) => source.split('/')[1]);
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', ...new Set(published)]));
  });
});

test.each(Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))(
  '%s is pinned exactly',
  (_name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  },
);

test('no dependency of the library runs a script when it is installed', () => {
  const scripted = Object.keys(manifest.allowScripts);
  expect(scripted.filter((name) => name in manifest.dependencies)).toEqual([]);
});
