export { memoryStore } from '../../src/stores/memory-store.ts';
export type { MemoryStoreOptions } from '../../src/stores/memory-store.ts';
