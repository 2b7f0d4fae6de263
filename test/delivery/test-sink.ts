import type { Sink, UsageRecord } from '../../src/types.ts';

/** What a write of the test sink does. `lie` resolves what it was never asked: it returns no promise. */
export type Answer = 'store' | 'reject' | 'throw' | 'lie' | 'block';

export interface TestSink extends Sink {
  /** Ids in the order they were stored. */
  readonly stored: string[];
  /** Ids of every write, also of those that failed. */
  readonly writes: string[][];
  /** What the next writes do; when it is empty they store. */
  readonly answers: Answer[];
  /** Ids that are always rejected. */
  readonly poison: Set<string>;
  /** While set, every write is rejected. */
  down: boolean;
  flushes: number;
  closes: number;
  /** Lets the blocked write go, as if it had stored. */
  unblock(): void;
  /** Whether a second write ever began before the first had ended. */
  readonly overlapped: boolean;
}

export function createTestSink(name = 'test'): TestSink {
  const stored: string[] = [];
  const writes: string[][] = [];
  const answers: Answer[] = [];
  const poison = new Set<string>();
  let release: (() => void) | undefined;
  let inFlight = 0;
  let overlapped = false;

  async function attempt(answer: Answer, ids: string[]): Promise<void> {
    inFlight++;
    overlapped ||= inFlight > 1;
    try {
      if (answer === 'block') await new Promise<void>((resolve) => (release = resolve));
      else await Promise.resolve();
      if (answer === 'reject' || sink.down || ids.some((id) => poison.has(id))) {
        throw Object.assign(new Error(`the rows ${ids.join()} were refused`), {
          code: 'E_REFUSED',
        });
      }
      stored.push(...ids);
    } finally {
      inFlight--;
    }
  }

  const sink: TestSink = {
    name,
    stored,
    writes,
    answers,
    poison,
    down: false,
    flushes: 0,
    closes: 0,
    get overlapped() {
      return overlapped;
    },
    unblock: () => release?.(),
    write(records: readonly UsageRecord[]) {
      const ids = records.map(({ id }) => id);
      writes.push(ids);
      const answer = answers.shift() ?? 'store';
      if (answer === 'throw') throw new TypeError('thrown at once');
      if (answer === 'lie') return undefined as unknown as Promise<void>;
      return attempt(answer, ids);
    },
    async flush() {
      sink.flushes++;
    },
    async close() {
      sink.closes++;
    },
  };
  return sink;
}
