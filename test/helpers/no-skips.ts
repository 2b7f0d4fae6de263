import type { Reporter, TestModule } from 'vitest/node';
import { fullFixturesDir } from './full-fixtures.ts';

/** Fails a run in which a test was skipped, so that nothing in CI is green because it did not run. */
export class NoSkips implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const withoutFixtures = fullFixturesDir() === undefined;
    const skipped = modules
      .flatMap((module) => [...module.children.allTests('skipped')])
      .map((test) => `${test.module.relativeModuleId} > ${test.fullName}`)
      .filter((name) => !(withoutFixtures && name.includes('full fixtures')));
    if (skipped.length === 0) return;
    console.error(
      `Skipped, which CI does not allow:\n${skipped.map((name) => `  ${name}\n`).join('')}`,
    );
    process.exitCode = 1;
  }
}
