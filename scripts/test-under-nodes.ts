/** Runs the whole test suite under each supported Node but the one that `npm test` uses. */
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };
import { installNodes } from './ci/nodes.ts';
import { step } from './ci/step.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--typecheck=false'];

for (const [version, node] of installNodes()) {
  if (version === manifest.devDependencies.node) continue;
  step(`tests, Node ${version}`, node, vitest, root);
}
