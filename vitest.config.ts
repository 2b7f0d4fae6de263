import { defineConfig } from 'vitest/config';
import { NoSkips } from './test/helpers/no-skips.ts';

const inCI = (process.env['CI'] ?? '') !== '';

export default defineConfig({
  ssr: { resolve: { conditions: ['@tokenrouter/source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    // Nothing here is about speed: a busy machine must not fail a test. What hangs still ends.
    testTimeout: 30_000,
    // Vitest leaves one core free, which on two is half the machine.
    maxWorkers: '100%',
    setupFiles: inCI ? ['./test/helpers/seeded.ts'] : [],
    reporters: inCI ? ['default', new NoSkips()] : ['default'],
    typecheck: { enabled: true, include: ['test/**/*.test-d.ts'] },
    coverage: { provider: 'v8', include: ['src/**', 'adapters/**'] },
  },
});
