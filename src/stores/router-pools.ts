import type { Clock, Random } from '../types.ts';
import { uuidv7 } from '../util/uuid.ts';
import { createSharedPool } from './shared-pool.ts';
import type { AwayOptions, PoolName, SharedPool, Store } from './types.ts';

/** A router's parts of all the pools that it shares with others. */
export interface RouterPools {
  readonly store: Store;
  /** What this router is called there. */
  readonly holder: string;
  /** `onChange`: whoever waits should ask again. */
  open(pool: () => PoolName, onChange: () => void): SharedPool;
  /** Reports what was used and gives back the rest. The store stays open: it is its maker's. */
  close(): Promise<void>;
}

export interface RouterPoolsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

const ALONE: AwayOptions = { whenAway: 'share', instances: 1 };

export function createRouterPools({ store, clock, random }: RouterPoolsOptions): RouterPools {
  const holder = uuidv7(clock.wallNow(), random);
  const { away = ALONE } = store;
  /** Weakly: one that nobody can ask any more and that holds nothing may go. One that holds something has a timer. */
  let opened = new Set<WeakRef<SharedPool>>();
  let sweepAt = FEW;
  return {
    store,
    holder,
    open(pool, onChange) {
      if (opened.size >= sweepAt) {
        opened = new Set([...opened].filter((reference) => reference.deref() !== undefined));
        sweepAt = Math.max(FEW, opened.size * 2);
      }
      const shared = createSharedPool({ pool, store, holder, clock, random, away, onChange });
      opened.add(new WeakRef(shared));
      return shared;
    },
    async close() {
      await Promise.all(Array.from(opened, async (reference) => reference.deref()?.close()));
      opened.clear();
    },
  };
}

/** Too few to look for those that are gone. */
const FEW = 64;
