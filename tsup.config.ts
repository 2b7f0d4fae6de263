import { defineConfig } from 'tsup';
import manifest from './package.json' with { type: 'json' };

/** The sources behind package.json's exports; sources span src and adapters, so dist mirrors the tree. */
const entry = Object.values(manifest.exports).flatMap((target) =>
  typeof target === 'string' ? [] : [target['@tokenrouter/source']],
);

export default defineConfig({
  entry,
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  splitting: true,
  sourcemap: true,
  clean: true,
  silent: true,
  // tsup 9 cannot drive TypeScript 7; `tsc -p tsconfig.build.json` writes the declarations.
  dts: false,
  // By default tsup writes `import('sqlite')` for `node:sqlite`, which resolves to somebody's npm package or to nothing.
  removeNodeProtocol: false,
  esbuildOptions(options) {
    // The package ships its sources; the maps point at them.
    options.sourcesContent = false;
  },
});
