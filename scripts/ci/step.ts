import { spawnSync } from 'node:child_process';

/** Runs a program, says how long it took, and gives what it printed. Throws with all of that when it fails. */
export function step(title: string, program: string, args: readonly string[], cwd: string): string {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) {
    throw new Error(
      `${title}: failed\n${stdout}${stderr}${error === undefined ? '' : String(error)}`,
    );
  }
  console.log(`${title}: ok (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return stdout;
}
