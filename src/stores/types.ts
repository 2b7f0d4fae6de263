/**
 * State that several routers share, in one process or in many. Types only: nothing here runs.
 *
 * Everything that is counted is a **pool**: so many units (requests, tokens, nano-dollars) in a window. A router is a **holder**:
 * it is granted units ahead of need, spends them without asking, and now and then exchanges: it says what it has used, gives
 * back what it does not need and asks for more, all in one atomic step. So the hot path seldom leaves the process, and no
 * two holders ever have the same unit.
 *
 * What always holds, for each pool and at any moment: used in the window + granted <= limit, but for what was used beyond a
 * grant (an answer longer than was reserved for it; `used` may exceed what is held).
 */

/** A pool, as everybody who shares it has to name it. */
export interface PoolName {
  /** The same for everybody who shares it. Holds no secrets: names of rules, tenants, hashes of accounts. */
  readonly key: string;
  /** Units. A safe integer; money is in nano-dollars (10^-9), so that Lua's doubles hold 9 million dollars exactly. */
  readonly limit: number;
  /**
   * `sliding`: what is used counts for `windowMs` from when it was taken, and is held until it is reported, so no real window
   * ever holds more. `fixed`: it counts until `endsInMs`, and the key names the window (a day, a month). `held`: only what is
   * held counts, nothing is ever used up (requests under way).
   */
  readonly window:
    | { readonly kind: 'sliding'; readonly windowMs: number }
    | { readonly kind: 'fixed'; readonly endsInMs: number }
    | { readonly kind: 'held' };
}

/** One exchange of one holder with one pool. */
export interface Exchange {
  readonly pool: PoolName;
  /** Names the router. */
  readonly holder: string;
  /** What was used since this holder's last exchange that succeeded. It need not have been granted. */
  readonly used: readonly Used[];
  /** Of what it holds, what is taken or used and not in this report: it is held in any case, granted or not. */
  readonly taken: number;
  /** So many it wants to hold from now on, those it holds already included. What it holds beyond is given back. */
  readonly hold: number;
  /**
   * What it needs, `taken` included; `taken` when it only keeps some in reserve. While that much is not there it holds only
   * `taken`, and waits in line: nobody who asks later is granted what it needs. Beyond this it is granted up to `hold`, a fair
   * part of what is left.
   */
  readonly atLeast: number;
  /** What it holds counts as used when it has not been heard of for so long, until it is heard of again. */
  readonly leaseMs: number;
  /** Rises with every attempt. One that arrives after a later one changes nothing. */
  readonly sequence: number;
  /** The sequence with which this `used` was first sent: it is not counted again when only the answer was lost. */
  readonly usedSince: number;
  /** What this holder last heard, when it may still count: see `Heard`. */
  readonly heard?: Heard | undefined;
}

/** Units that were used. */
export interface Used {
  /** Negative gives back. */
  readonly units: number;
  /** How long ago they were taken: they count from then. */
  readonly agoMs: number;
}

/**
 * What a holder last heard of a pool. A store that has forgotten it since (started again without its data, or with older
 * data) takes it for the least that was used, and recovers: for one lease it grants nothing, until the others have told too.
 */
export interface Heard {
  /** `Exchanged.at` of that answer. */
  readonly at: number;
  readonly agoMs: number;
  readonly used: number;
}

export interface Exchanged {
  /** Units that the holder holds now. */
  readonly held: number;
  /** Used in the window, by everybody. */
  readonly used: number;
  /** Held by everybody, this holder included. */
  readonly heldByAll: number;
  /** Units that others wait for. */
  readonly wanted: number;
  /** When `atLeast` might be there if nobody gives back anything, in milliseconds; 0 when it is; `undefined` when not known. */
  readonly waitMs: number | undefined;
  /** The store's time, in milliseconds. */
  readonly at: number;
  /** It had forgotten what was used, and waits for others to tell it. */
  readonly isRecovering: boolean;
}

/** Where shared state lives. One contract suite (`storeContract`) holds for all. Time is the store's own. */
export interface Store {
  readonly name: string;
  /** What routers do while it does not answer. Default: each keeps to the whole of each limit by itself. */
  readonly away?: AwayOptions | undefined;
  /** Atomic. Rejects when the store cannot be asked; then nothing may or may not have happened (see `sequence`). */
  exchange(exchange: Exchange): Promise<Exchanged>;
  /** What stands under a key; `undefined` when nothing does or its time is over. */
  get(key: string): Promise<string | undefined>;
  /**
   * Puts a value under a key for `ttlMs`, `ifAbsent` only where nothing stands. Resolves with what stands there now: for markers
   * that the first of several sets (a call under way) and states that the last one sets (a gate that is closed).
   */
  set(key: string, value: string, options: { ttlMs: number; ifAbsent?: boolean }): Promise<string>;
  /** Takes it away, but only while this value stands there. */
  delete(key: string, value: string): Promise<void>;
  close(): Promise<void>;
}

/** One router's part of a pool. Synchronous for its user; it does its exchanges by itself. */
export interface SharedPool {
  /**
   * Milliseconds until so many units can be taken; 0: now; `Infinity`: only an event can help (`onChange` tells), or, when they
   * are more than the limit, nothing. Asks for them.
   */
  waitMs(units: number, now: number): number;
  /** Takes units, whether or not they are there. */
  take(units: number, now: number): void;
  /**
   * Of what was taken so many are used, the others go back. `used` may exceed `taken`. In a sliding window they count from
   * `takenAt`, when they were taken (default `now`): with it, long calls leave the window as early as they came.
   */
  settle(taken: number, used: number, now: number, takenAt?: number): void;
  snapshot(now: number): SharedPoolSnapshot;
  /** Nothing taken and nothing held: it may be forgotten. */
  isIdle(now: number): boolean;
  /** Reports what was used and gives back the rest. Never rejects. */
  close(): Promise<void>;
}

export interface SharedPoolSnapshot {
  readonly limit: number;
  /** Used in the window by everybody, as of the last exchange, and what this router has used since. */
  readonly used: number;
  /** Held by everybody else, as of the last exchange, and taken here. */
  readonly held: number;
  /** The store does not answer: `share` of the limit applies here, or nothing goes. */
  readonly isAway: boolean;
}

/** What a router does while its store does not answer. */
export interface AwayOptions {
  /** `share`: this router keeps to its share of each limit by itself. `refuse`: what needs the store waits, and is refused in time. */
  readonly whenAway: 'share' | 'refuse';
  /** How many routers share the limits: a share is one of so many. */
  readonly instances: number;
}
