import { CLIENTS, NULL_CLIENTS, type ClientName } from './clients/index.ts';
import { STREAM_CHUNKS } from './inputs/answers.ts';
import { REQUEST_SIZES, type RequestSize } from './inputs/requests.ts';

/** One situation in which all clients of a group are measured against each other. */
export interface Cell {
  readonly group: 'whole' | 'stream' | 'null';
  /** First segment of the path: how the answer comes. */
  readonly mode: string;
  readonly title: string;
  readonly isStream: boolean;
  readonly size: RequestSize;
  readonly concurrency: number;
  readonly clients: readonly ClientName[];
  /** What a figure is of: a call, or one chunk of a stream. */
  readonly unitsPerCall: number;
  readonly rounds: number;
  /**
   * Milliseconds of CPU time before the first round, not counted. Node compiles the hot path of an HTTP client for about
   * a second: cold, all of them cost four times as much, and those with more code of their own suffer more.
   */
  readonly warmMs: number;
  /** Milliseconds of CPU time for each client in each round, at most five times as long. */
  readonly sliceMs: number;
}

export type Extent = 'full' | 'quick' | 'smoke';

interface Effort {
  readonly sizes: readonly RequestSize[];
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly warmMs: number;
  readonly sliceMs: number;
  /** Concurrency and milliseconds between frames. */
  readonly paced: ReadonlyArray<readonly [concurrency: number, everyMs: number]>;
}

const EFFORTS: Readonly<Record<Extent, Effort>> = {
  full: {
    sizes: REQUEST_SIZES,
    concurrencies: [1, 32],
    rounds: 9,
    warmMs: 1500,
    sliceMs: 100,
    paced: [
      [1, 1],
      [32, 4],
    ],
  },
  quick: {
    sizes: [2, 500],
    concurrencies: [32],
    rounds: 5,
    warmMs: 1000,
    sliceMs: 60,
    paced: [[16, 2]],
  },
  smoke: {
    sizes: [2],
    concurrencies: [32],
    rounds: 1,
    warmMs: 10,
    sliceMs: 30,
    paced: [[1, 1]],
  },
};

/** What is measured, in order. */
export function planOf(extent: Extent): Cell[] {
  const { sizes, concurrencies, rounds, warmMs, sliceMs, paced } = EFFORTS[extent];
  const base = { clients: CLIENTS, rounds, warmMs, sliceMs };
  const whole = {
    ...base,
    group: 'whole',
    mode: 'json',
    isStream: false,
    unitsPerCall: 1,
  } as const;
  const stream = { ...base, group: 'stream', isStream: true, unitsPerCall: STREAM_CHUNKS } as const;
  const cells: Cell[] = [];
  for (const size of sizes) {
    for (const concurrency of concurrencies) {
      const title = `${size} KB, ${concurrency} at once`;
      cells.push({ ...whole, size, concurrency, title });
      cells.push({ ...stream, mode: 'burst', size, concurrency, title: `burst, ${title}` });
    }
  }
  for (const [concurrency, everyMs] of paced) {
    const title = `every ${everyMs} ms, 2 KB, ${concurrency} at once`;
    // A slice lasts as long as its streams, most of it waiting.
    const few = { rounds: Math.ceil(rounds / 2), warmMs: warmMs / 10 };
    cells.push({ ...stream, ...few, mode: `paced-${everyMs}`, size: 2, concurrency, title });
  }
  const bare = { ...base, group: 'null', clients: NULL_CLIENTS, size: 2 } as const;
  cells.push(
    {
      ...bare,
      mode: 'json',
      isStream: false,
      unitsPerCall: 1,
      concurrency: 1,
      title: '2 KB, whole',
    },
    {
      ...bare,
      mode: 'turns',
      isStream: true,
      unitsPerCall: STREAM_CHUNKS,
      // As many streams share a turn of the event loop, so that the turn itself hardly weighs.
      concurrency: 16,
      title: '2 KB, stream',
    },
  );
  return cells;
}
