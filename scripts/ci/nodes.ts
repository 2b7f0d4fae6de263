import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };

/** The floor of `engines`, the newest 22, the Node of the dev dependencies and the newest 26, as of 2026-11-21. */
const nodeVersions: readonly string[] = [
  '22.19.0',
  '22.23.3',
  manifest.devDependencies.node,
  '26.10.0',
];

if (`>=${nodeVersions[0]}` !== `${manifest.engines.node}.0`) {
  throw new Error(
    `engines names Node ${manifest.engines.node}, the lowest tested is ${nodeVersions[0]}.`,
  );
}

const folder = fileURLToPath(
  new URL('../../node_modules/.cache/tokenrouter/nodes', import.meta.url),
);

/** Path of the program of each version; what is missing is fetched from npm, where Node is a package too. */
export function installNodes(): ReadonlyMap<string, string> {
  const programs = new Map(
    nodeVersions.map((version) => [
      version,
      join(folder, 'node_modules', `node-${version}`, 'bin/node'),
    ]),
  );
  if ([...programs.values()].some((program) => !existsSync(program))) {
    npmInstall(folder, {
      dependencies: Object.fromEntries(
        nodeVersions.map((version) => [`node-${version}`, `npm:node@${version}`]),
      ),
      // The package fetches the program of its platform when it is installed.
      allowScripts: { node: true },
    });
  }
  return programs;
}

/** Makes a project in `folder` and installs what it depends on. */
export function npmInstall(folder: string, project: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, ...project }, null, 2),
  );
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  execFileSync('npm', ['install', ...quiet], { cwd: folder, stdio: 'inherit' });
}
