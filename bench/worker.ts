/**
 * A process of its own for one client, or for the server: what a client does to the compiler, the heap and its connections
 * is nothing to another. Does what it is told and sleeps in between.
 */
import type { BenchClient, ClientOptions } from './clients/client.ts';
import { createClient, type ClientName } from './clients/index.ts';
import { runSlice, type SliceOptions, type SliceResult } from './slice.ts';

/** What a worker can be told. */
export interface Jobs {
  /** Becomes the server, and says where it is. */
  serve: () => Promise<string>;
  /** Makes the client for the slices that follow, and closes the one before. */
  client: (
    name: ClientName,
    options: Omit<ClientOptions, 'dispatcher'> & { readonly hasSockets: boolean },
  ) => Promise<void>;
  slice: (options: SliceOptions) => Promise<SliceResult>;
  close: () => Promise<void>;
}

export type Reply = { readonly result: unknown } | { readonly error: string };

let current: BenchClient | undefined;

const jobs: Jobs = {
  async serve() {
    const { startBenchServer } = await import('./server.ts');
    const { origin } = await startBenchServer();
    return origin;
  },
  async client(name, { hasSockets, ...options }) {
    await current?.close();
    const dispatcher = hasSockets
      ? undefined
      : new (await import('./null-dispatcher.ts')).NullDispatcher();
    current = await createClient(name, { ...options, dispatcher });
  },
  async slice(options) {
    if (current === undefined) throw new Error('A slice came before its client.');
    return runSlice(current, options);
  },
  async close() {
    await current?.close();
    current = undefined;
  },
};

process.on('message', ({ job, args }: { job: keyof Jobs; args: never[] }) => {
  void answer(jobs[job], args);
});

async function answer(run: (...given: never[]) => Promise<unknown>, args: never[]): Promise<void> {
  let reply: Reply;
  try {
    reply = { result: await run(...args) };
  } catch (error) {
    reply = { error: String(error) };
  }
  process.send?.(reply);
}
