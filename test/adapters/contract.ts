import { describe, expect, test } from 'vitest';
import { adapterContract, type AdapterCase } from '../../src/testing/adapter-contract.ts';
import type { ProviderAdapter } from '../../src/types.ts';

/** Runs the adapter contract as tests. */
export function testAdapter(adapter: ProviderAdapter, cases: readonly AdapterCase[]): void {
  describe('the adapter contract', () => {
    for (const check of adapterContract(adapter, cases)) {
      test(check.name, () => {
        expect(check.run).not.toThrow();
      });
    }
  });
}
