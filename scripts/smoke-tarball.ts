/**
 * Packs the package, installs the tarball into an empty project as a user would, type-checks that project without skipLibCheck, and
 * runs it under each supported Node. `npm run smoke` builds first.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };
import { installNodes, npmInstall } from './ci/nodes.ts';
import { step } from './ci/step.ts';

/** The oldest TypeScript whose users are promised working types, and our own. */
const typescriptVersions = ['5.7.3', manifest.devDependencies.typescript];

const root = fileURLToPath(new URL('..', import.meta.url));
if (!existsSync(join(root, 'dist/src/index.js'))) {
  throw new Error('There is no build to pack. Use `npm run smoke`, which builds first.');
}

const work = mkdtempSync(join(tmpdir(), 'tokenrouter-smoke-'));
try {
  const tarball = pack(work);
  const project = join(work, 'project');
  npmInstall(project, {
    type: 'module',
    dependencies: { tokenrouter: `file:${tarball}` },
    devDependencies: { '@types/node': manifest.devDependencies['@types/node'] },
  });
  copyFileSync(join(root, 'test/package/consumer/consumer.ts'), join(project, 'consumer.ts'));
  checkTypes(project, join(work, 'compilers'));
  run(project);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function pack(folder: string): string {
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', folder];
  const [packed] = JSON.parse(step('pack', 'npm', args, root)) as Array<{
    filename: string;
    size: number;
    files: unknown[];
  }>;
  if (packed === undefined) throw new Error('npm pack named no tarball.');
  const kib = (packed.size / 1024).toFixed(0);
  console.log(`${packed.filename}: ${kib} KiB, ${packed.files.length} files`);
  return join(folder, packed.filename);
}

function checkTypes(project: string, compilers: string): void {
  npmInstall(compilers, {
    dependencies: Object.fromEntries(
      typescriptVersions.map((version) => [`typescript-${version}`, `npm:typescript@${version}`]),
    ),
  });
  const common = {
    target: 'es2022',
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
  };
  for (const version of typescriptVersions) {
    for (const module of ['nodenext', 'preserve']) {
      const config = { compilerOptions: { ...common, module }, files: ['consumer.ts'] };
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
      const tsc = join(compilers, 'node_modules', `typescript-${version}`, 'bin/tsc');
      step(`types, TypeScript ${version}, module ${module}`, process.execPath, [tsc], project);
    }
  }
}

function run(project: string): void {
  for (const [version, node] of installNodes()) {
    const printed = step(`run, Node ${version}`, node, ['consumer.ts'], project);
    if (!printed.includes(`Node v${version}: `)) {
      throw new Error(`Node ${version} did not run consumer.ts to its end:\n${printed}`);
    }
  }
}
