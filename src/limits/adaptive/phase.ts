/** What is sent while a limit is believed in: at the limit (`cruise`), or above it to find a higher one (`search`, `probe`). */
export interface Phase {
  readonly name: 'search' | 'cruise' | 'probe';
  /** Believed in, in requests a minute. */
  readonly limit: number;
  /** Tried, in requests a minute. */
  readonly rate: number;
  /** Sent, in requests a millisecond. */
  readonly perMs: number;
  /** Sent at most in any minute, for limits that are counted so. */
  readonly mostPerMinute: number;
  /** Nothing goes out now: what passes is not part of a trial. */
  pause(now: number): void;
  /** Nobody waits now, so the rate may not be used. */
  idle(now: number): void;
}
