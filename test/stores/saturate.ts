/** Holders that always have more calls than their pools let through, and what they sent. */
import { createSharedPool } from '../../src/stores/shared-pool.ts';
import type { AwayOptions, PoolName, SharedPool, Store } from '../../src/stores/types.ts';
import type { Clock, Random } from '../../src/types.ts';

export interface Sent {
  readonly at: number;
  readonly holder: string;
  readonly units: readonly number[];
}

export interface HolderOptions {
  readonly pools: readonly (() => PoolName)[];
  readonly store: Store;
  readonly holder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly away?: AwayOptions;
  /** Of the next call, for each pool: what is taken and what is used. */
  readonly next: () => readonly { readonly taken: number; readonly used: number }[];
  readonly callMs: () => number;
  readonly onSent: (sent: Sent) => void;
}

/** Sends calls as fast as the pools allow, until `stop`. */
export function saturate(options: HolderOptions): { stop(): void; readonly pools: SharedPool[] } {
  const { store, holder, clock, random, next, callMs, onSent } = options;
  const away = options.away ?? { whenAway: 'share', instances: 4 };
  let isStopped = false;
  let call = next();
  let timer: unknown;
  const pools = options.pools.map((pool) =>
    createSharedPool({ pool, store, holder, clock, random, away, onChange: send }),
  );

  function send(): void {
    for (;;) {
      const now = clock.now();
      clock.clearTimeout(timer);
      if (isStopped) return;
      const waitMs = Math.max(...pools.map((pool, i) => pool.waitMs(call[i]!.taken, now)));
      if (waitMs > 0) {
        if (waitMs < Infinity) timer = clock.setTimeout(send, waitMs);
        return;
      }
      const sent = call;
      call = next();
      pools.forEach((pool, i) => pool.take(sent[i]!.taken, now));
      onSent({ at: now, holder, units: sent.map(({ used }) => used) });
      clock.setTimeout(() => {
        const end = clock.now();
        pools.forEach((pool, i) => pool.settle(sent[i]!.taken, sent[i]!.used, end, now));
        send();
      }, callMs());
    }
  }

  send();
  return {
    pools,
    stop() {
      isStopped = true;
      clock.clearTimeout(timer);
    },
  };
}

/**
 * The most that was sent in any window, and the mean of whole windows after the first half of one, both as a share of the limit. What
 * is sent mostly comes in bursts, a window apart; so no edge is in one.
 */
export function loadOf(
  sent: readonly { readonly at: number; readonly units: number }[],
  limit: number,
  windowMs: number,
  endAt: number,
): { most: number; mean: number } {
  const sorted = [...sent].sort((a, b) => a.at - b.at);
  let most = 0;
  let inWindow = 0;
  let first = 0;
  for (const { at, units } of sorted) {
    inWindow += units;
    while (sorted[first]!.at <= at - windowMs) inWindow -= sorted[first++]!.units;
    most = Math.max(most, inWindow);
  }
  const startAt = (sorted[0]?.at ?? 0) + windowMs / 2;
  const windows = Math.floor((endAt - startAt) / windowMs);
  let total = 0;
  for (const { at, units } of sorted) {
    if (at >= startAt && at < startAt + windows * windowMs) total += units;
  }
  return { most: most / limit, mean: total / limit / windows };
}
