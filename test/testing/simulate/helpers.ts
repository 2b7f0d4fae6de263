import type { SimulatedProvider, VirtualClock } from '../../../src/testing/index.ts';

/** Lets virtual time pass until the work is done. */
export async function finish<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const settled = work.finally(() => (isDone = true));
  settled.catch(() => {});
  while (!isDone) await clock.next();
  return settled;
}

/**
 * Tokens as the texts say themselves: `#200` stands for 200, `#2000 tools` for 2000; a text without a number counts nothing
 * but its pieces must add up, so each test writes them all.
 */
export function writtenTokens(text: string): number {
  return Number(/#(\d+)/.exec(text)?.[1] ?? 1);
}

/** All events of a stream. */
export async function listed<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
}

/** Posts a body as it is. */
export function post(provider: SimulatedProvider, url: string, body: unknown): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return provider(url, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json' },
  });
}
