import { defineConfig } from 'vitest/config';
import { NoSkips } from './test/helpers/no-skips.ts';

const inCI = (process.env['CI'] ?? '') !== '';

export default defineConfig({
  ssr: { resolve: { conditions: ['@tokenrouter/source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    reporters: inCI ? ['default', new NoSkips()] : ['default'],
    typecheck: { enabled: true, include: ['test/**/*.test-d.ts'] },
    coverage: { provider: 'v8', include: ['src/**', 'adapters/**'] },
  },
});
