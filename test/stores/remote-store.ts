/** A store in virtual time that is as far away as a server, and as unreliable as it is told to be. */
import { memoryStore } from '../../src/stores/memory-store.ts';
import type { Exchange, Exchanged, Store } from '../../src/stores/types.ts';
import type { Clock } from '../../src/types.ts';

export interface RemoteStore extends Store {
  /** All that arrived. */
  readonly arrived: readonly Exchange[];
  /** `gone`: rejects. `silent`: never answers, and nothing arrives. `mute`: it arrives, the answer does not. */
  state: 'there' | 'gone' | 'silent' | 'mute';
  /** Starts again without its data. */
  forget(): void;
  /** What is used and held, as somebody who asks for nothing sees it. */
  look(pool: Exchange['pool']): Promise<Exchanged>;
}

export function remoteStore(clock: Clock, delayMs: () => number = () => 1): RemoteStore {
  let memory = memoryStore({ clock });
  const arrived: Exchange[] = [];
  const transit = async (): Promise<void> =>
    new Promise((resolve) => clock.setTimeout(resolve, delayMs()));

  const store: RemoteStore = {
    ...memory,
    name: 'remote',
    arrived,
    state: 'there',
    async exchange(exchange) {
      const { state } = store;
      if (state === 'gone') throw new Error('connection refused');
      if (state === 'silent') return new Promise(() => undefined);
      await transit();
      arrived.push(exchange);
      const answer = await memory.exchange(exchange);
      if (state === 'mute') return new Promise(() => undefined);
      await transit();
      return answer;
    },
    forget() {
      memory = memoryStore({ clock });
    },
    look: async (pool) =>
      memory.exchange({
        pool,
        holder: 'somebody who looks',
        used: [],
        taken: 0,
        hold: 0,
        atLeast: 0,
        leaseMs: 1,
        sequence: Number.MAX_SAFE_INTEGER,
        usedSince: Number.MAX_SAFE_INTEGER,
      }),
  };
  return store;
}
