/** Importing an entry loads what that entry needs at once and nothing more: no optional peer, no tokenizer, no database. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** Prints where every module that the entry loads comes from, and which modules of Node itself were started. */
const probe = `
import { registerHooks } from 'node:module';
const urls = new Set();
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    urls.add(resolved.url);
    return resolved;
  },
});
await import(process.argv[1]);
console.log(JSON.stringify({ urls: [...urls], builtins: process.moduleLoadList }));
`;

interface Loaded {
  /** Names of installed packages. */
  readonly packages: readonly string[];
  /** Of this project. */
  readonly files: readonly string[];
  /** `process.moduleLoadList`: also sees what `process.getBuiltinModule` loads. */
  readonly builtins: readonly string[];
}

async function loadedBy(entry: string): Promise<Loaded> {
  const flags = ['--conditions=@tokenrouter/source', '--input-type=module'];
  const { stdout } = await run(process.execPath, [...flags, '-e', probe, entry], { cwd: root });
  const { urls, builtins } = JSON.parse(stdout) as { urls: string[]; builtins: string[] };
  const packages = urls.flatMap(
    (url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [],
  );
  return {
    packages: [...new Set(packages)],
    files: urls.filter((url) => url.startsWith('file:') && !url.includes('/node_modules/')),
    builtins,
  };
}

const entries = Object.keys(manifest.exports)
  .filter((name) => name !== './package.json')
  .map((name) => `tokenrouter${name.slice(1)}`);

/** `tokenrouter` and `tokenrouter/testing` bring the router and its transport; the others are leaves. */
const isLeaf = (entry: string): boolean => /\/(adapters|sinks|stores)\//.test(entry);

describe.concurrent('importing', () => {
  test.each(entries)(
    '%s loads only what it needs at once',
    async (entry) => {
      const { packages, builtins, files } = await loadedBy(entry);
      const needed = isLeaf(entry)
        ? ['eventsource-parser', 'zod']
        : ['eventsource-parser', 'lru-cache', 'undici', 'zod'];
      expect(files.length).toBeGreaterThan(0);
      expect(packages.filter((name) => !needed.includes(name))).toEqual([]);
      expect(builtins.filter((name) => name.includes('sqlite'))).toEqual([]);
      const core = files.filter((url) => /\/src\/(stages|router|pipeline|index)\b/.test(url));
      expect(isLeaf(entry) ? core : []).toEqual([]);
    },
    30_000,
  );

  test('nothing passes unseen', async () => {
    const { packages, builtins } = await loadedBy(
      `data:text/javascript,${encodeURIComponent(`
        import '${import.meta.resolve('js-tiktoken/lite')}';
        process.getBuiltinModule('node:sqlite');
      `)}`,
    );
    expect(packages).toContain('js-tiktoken');
    expect(builtins.filter((name) => name.includes('sqlite'))).not.toEqual([]);
  });
});
