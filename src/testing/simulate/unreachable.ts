/** How a provider is not there: no connection, or no answer. */
export type Unreachable = 'refuse' | 'hang';

/** What a caller gets: the error of a `fetch` without a connection; or nothing, until the signal aborts. */
export async function unreachable(
  how: Unreachable,
  signal: AbortSignal | undefined,
): Promise<never> {
  if (how === 'refuse') {
    const message = 'connect ECONNREFUSED (simulated)';
    const cause = Object.assign(new Error(message), { code: 'ECONNREFUSED', syscall: 'connect' });
    throw new TypeError('fetch failed', { cause });
  }
  await new Promise<void>((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
  throw signal?.reason;
}
