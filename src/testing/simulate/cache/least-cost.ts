/** What a cache charges that writes only what it is asked to. */
export interface BoundRules {
  /** The shortest prefix that is kept, in tokens. */
  readonly minTokens: number;
  /** Price of a read token relative to a plain one. */
  readonly read: number;
  /** Lifetimes that are sold, with the price of a written token relative to a plain one. */
  readonly lifetimes: ReadonlyArray<{ readonly seconds: number; readonly write: number }>;
}

/** One time that a token is sent. */
export interface Access {
  /** Seconds. */
  readonly at: number;
  /** Seconds: when what is written now can be read. */
  readonly readableAt: number;
  /** Whether the lifetime of what is read may be changed at no charge. */
  readonly lifts: boolean;
}

/** What may be kept of the token after some of the accesses, and what they cost. */
interface State {
  readonly cost: number;
  /** Seconds without use; 0 where nothing is kept. */
  readonly lifetime: number;
  readonly usedAt: number;
  readonly readableAt: number;
}

/** What one token costs that is sent at these times, if each time the best is done. Exact, by dynamic programming. */
export function leastCost(accesses: readonly Access[], rules: BoundRules): number {
  let states: readonly State[] = [{ cost: 0, lifetime: 0, usedAt: 0, readableAt: 0 }];
  for (const access of accesses) {
    states = undominated(states.flatMap((state) => choices(state, access, rules)));
  }
  return Math.min(...states.map(({ cost }) => cost));
}

function choices(state: State, access: Access, { read, lifetimes }: BoundRules): State[] {
  const { at, readableAt, lifts } = access;
  const isLive = at < state.usedAt + state.lifetime;
  if (isLive && state.readableAt <= at) {
    const used = { ...state, cost: state.cost + read, usedAt: at };
    if (!lifts) return [used];
    return lifetimes.map(({ seconds }) => ({ ...used, lifetime: seconds }));
  }
  // What is on its way already does not come later for being written again.
  const pending = isLive ? state.readableAt : Infinity;
  return [
    { ...state, cost: state.cost + 1, lifetime: isLive ? state.lifetime : 0 },
    ...lifetimes.map(({ seconds, write }) => ({
      cost: state.cost + write,
      lifetime: seconds,
      usedAt: at,
      readableAt: Math.min(pending, readableAt),
    })),
  ];
}

/** Without the states that are in no way better than another one: few are left, however many accesses there were. */
function undominated(states: readonly State[]): State[] {
  const kept: State[] = [];
  for (const state of states.toSorted((a, b) => a.cost - b.cost || b.lifetime - a.lifetime)) {
    const isWorse = kept.some(
      (other) =>
        state.lifetime === 0 ||
        (other.lifetime >= state.lifetime &&
          other.usedAt + other.lifetime >= state.usedAt + state.lifetime &&
          other.readableAt <= state.readableAt),
    );
    if (!isWorse) kept.push(state);
  }
  return kept;
}
