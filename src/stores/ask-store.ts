import type { Clock } from '../types.ts';
import { within } from '../util/within.ts';
import type { Exchange, Exchanged, Store } from './types.ts';

/**
 * One exchange; `undefined` when there is no answer in time. `onLate` gets one that comes after all. Neither throws nor rejects,
 * whatever the store does.
 */
export async function askStore(
  store: Store,
  exchange: Exchange,
  clock: Clock,
  timeoutMs: number,
  onLate: (exchanged: Exchanged) => void,
): Promise<Exchanged | undefined> {
  const answer = callStore(store, exchange);
  try {
    return await within(answer, timeoutMs, clock);
  } catch {
    answer.then(onLate).catch(() => undefined);
    return undefined;
  }
}

/** A store that throws is one that rejects, and so is one that answers what nobody can count with. */
async function callStore(store: Store, exchange: Exchange): Promise<Exchanged> {
  const exchanged = await store.exchange(exchange);
  const { held, used, heldByAll, wanted, at } = exchanged;
  if (![held, used, heldByAll, wanted, at].every(Number.isFinite)) throw new Error('no numbers');
  return exchanged;
}
