import type { Exchange, Exchanged, PoolName } from '../../../src/stores/types.ts';

/** In the order in which the script takes them. */
export function argumentsOf(exchange: Exchange): readonly string[] {
  const { pool, holder, taken, hold, atLeast, leaseMs, sequence, usedSince, heard } = exchange;
  const args = [holder, pool.window.kind];
  args.push(...[pool.limit, spanOf(pool.window), taken, hold, atLeast, leaseMs].map(whole));
  args.push(whole(sequence), whole(usedSince));
  if (heard === undefined) args.push('', '', '');
  else {
    const { at, agoMs, used } = heard;
    args.push(...[at, agoMs, used].map(whole));
  }
  for (const { units, agoMs } of exchange.used) args.push(whole(units), whole(agoMs));
  return args;
}

/** What the script answers. */
export function exchangedOf(reply: string): Exchanged {
  const [held, used, heldByAll, wanted, at, recovering, waitMs] = reply
    .split(' ')
    .map((each) => (each === '-' ? undefined : Number(each)));
  if (held === undefined || used === undefined || heldByAll === undefined) throw strange(reply);
  if (wanted === undefined || at === undefined) throw strange(reply);
  return { held, used, heldByAll, wanted, waitMs, at, isRecovering: recovering === 1 };
}

function strange(reply: string): Error {
  return new Error(
    `redisStore: expected seven numbers, got ${JSON.stringify(reply.slice(0, 100))}`,
  );
}

function spanOf(window: PoolName['window']): number {
  switch (window.kind) {
    case 'sliding':
      return window.windowMs;
    case 'fixed':
      return window.endsInMs;
    case 'held':
      return 0;
  }
}

/** As Lua reads it back exactly: a whole number without an exponent. */
export function whole(number: number): string {
  return Math.ceil(number).toFixed(0);
}
