import { webcrypto } from 'node:crypto';
import type { Random } from '../types.ts';

const pool = new Uint32Array(1024);
let next = pool.length;

/** Uniform in [0, 1) with 32 bits, from the system's generator: ids made from it are unique across processes. */
export const systemRandom: Random = () => {
  if (next === pool.length) {
    webcrypto.getRandomValues(pool);
    next = 0;
  }
  return pool[next++]! / 2 ** 32;
};
