import { setTimeout as sleep } from 'node:timers/promises';
import Bottleneck from 'bottleneck';
import PQueue from 'p-queue';
import { createFairQueue } from '../../src/schedule/fair-queue.ts';
import type { Waiter } from '../../src/schedule/types.ts';
import type { Priority } from '../../src/types.ts';
import { seededNumbers } from '../inputs/text.ts';

/** Somebody who waits. */
export interface Place {
  readonly priority: Priority;
  readonly tenant: string;
}

/** A queue of calls with priorities, which nobody leaves until it is opened. */
export interface WaitingRoom {
  /** Resolves when it is the call's turn. */
  wait(place: Place): Promise<void>;
  /** Resolves when everybody who came has a place in the queue. */
  settled(): Promise<void>;
  /** Lets everybody out. */
  open(): void;
}

export interface WaitingRoomKind {
  readonly name: string;
  readonly make: () => WaitingRoom;
  /** More would take minutes. */
  readonly most?: number;
}

export const WAITING_ROOMS: readonly WaitingRoomKind[] = [
  { name: 'our queue', make: ourQueue },
  { name: 'p-queue', make: pQueue },
  { name: 'bottleneck', make: bottleneckQueue, most: 2000 },
];

const PRIORITIES: readonly Priority[] = ['urgent', 'high', 'normal', 'low'];
const TENANTS = 10;

/** The same callers for everyone. */
export function places(count: number): Place[] {
  const random = seededNumbers(1);
  return Array.from({ length: count }, () => ({
    priority: PRIORITIES[Math.floor(random() * PRIORITIES.length)] ?? 'normal',
    tenant: `tenant-${Math.floor(random() * TENANTS)}`,
  }));
}

interface OwnWaiter extends Waiter {
  readonly go: () => void;
}

/** Four priorities, fair between tenants. */
function ourQueue(): WaitingRoom {
  const queue = createFairQueue<OwnWaiter>({ agingMs: 5000 });
  let sequence = 0;
  return {
    wait: ({ priority, tenant }) =>
      new Promise((resolve) => {
        const now = performance.now();
        queue.push({ priority, flow: tenant, arrivedAt: now, sequence: sequence++, go: resolve });
      }),
    settled: noop,
    open() {
      for (;;) {
        const now = performance.now();
        const next = queue.next(now);
        if (next === undefined) return;
        queue.take(next, now);
        next.go();
      }
    },
  };
}

/** Priorities, and no tenants. */
function pQueue(): WaitingRoom {
  const queue = new PQueue({ concurrency: 1, autoStart: false });
  return {
    wait: ({ priority }) => queue.add(noop, { priority: -PRIORITIES.indexOf(priority) }),
    settled: noop,
    open: () => void queue.start(),
  };
}

/** Its priorities go from 0 to 9, and it has no tenants. It takes in one call with each timer of 0 ms. */
function bottleneckQueue(): WaitingRoom {
  const limiter = new Bottleneck({ reservoir: 0 });
  return {
    wait: ({ priority }) => limiter.schedule({ priority: 2 + PRIORITIES.indexOf(priority) }, noop),
    async settled() {
      while (limiter.counts().RECEIVED > 0) await sleep(50);
    },
    open: () => void limiter.updateSettings({ reservoir: null }),
  };
}

function noop(): Promise<void> {
  return Promise.resolve();
}
