import type { NamedReading } from '../read-limits.ts';
import type { Demand, MeterSnapshot } from '../types.ts';
import { HeaderMeter } from './header-meter.ts';
import type { Entry, Ledger } from './ledger.ts';
import type { Sizes } from './sizes.ts';
import type { Surroundings } from './types.ts';

/** All limits that the headers of one lane tell. */
export class HeaderMeters {
  readonly #surroundings: Surroundings;
  readonly #sizes: Sizes;
  readonly #ledger: Ledger;
  readonly #known: Known[] = [];
  #tellsRate = false;

  constructor(surroundings: Surroundings, sizes: Sizes, ledger: Ledger) {
    this.#surroundings = surroundings;
    this.#sizes = sizes;
    this.#ledger = ledger;
  }

  /** Whether the headers tell how many requests a minute there may be. Limits of a day leave open what they are in a minute. */
  get tellsRate(): boolean {
    return this.#tellsRate;
  }

  waitMs(demand: Demand, now: number): number {
    let wait = 0;
    for (const { meter } of this.#known) {
      let cost = this.#ledger.cost(meter.unit, demand);
      if (meter.unit === 'inputTokens' || meter.unit === 'tokens') {
        const input = this.#sizes.input(demand);
        cost += this.#atMost(input) - input;
      }
      wait = Math.max(wait, meter.waitMs(cost, demand.priority, now));
    }
    return wait;
  }

  /** The share that a request takes of the limit of which it takes the largest; 0 when none is known. */
  share(demand: Demand): number {
    let share = 0;
    for (const { meter } of this.#known) {
      share = Math.max(share, this.#ledger.cost(meter.unit, demand) / meter.window.limit);
    }
    return share;
  }

  charge(entry: Entry, now: number): void {
    for (const { meter } of this.#known) meter.charge(this.#ledger.charged(meter.unit, entry), now);
  }

  /** Takes over what the headers of an answer say. */
  sync(readings: readonly NamedReading[], entry: Entry, now: number): void {
    if (readings.length === 0 && this.#known.length === 0) return;
    for (const known of this.#known) known.silent++;
    for (const reading of readings) {
      const known = this.#known.find(({ meter }) => meter.name === reading.name);
      if (known === undefined) this.#add(reading, entry, now);
      else {
        known.silent = 0;
        this.#learnCharge(known, reading, entry);
        known.meter.sync(reading, entry, this.#sizes.inputError, now);
      }
    }
    for (let i = this.#known.length - 1; i >= 0; i--) {
      if (this.#known[i]!.silent > MANY) this.#known.splice(i, 1);
    }
    this.#tellsRate = this.#known.some(tellsRate);
  }

  /** Whether the head of a refusal shows a limit that has no room for the request. */
  explains(readings: readonly NamedReading[], entry: Entry): boolean {
    return readings.some((reading) => reading.remaining < this.#need(reading, entry));
  }

  /** Learns from a refusal. Where each limit has room for what the request takes at once, it is for what its answer may have. */
  learnRefusal(readings: readonly NamedReading[], entry: Entry): void {
    const unit = this.#lacksOutput(readings, entry);
    if (unit === undefined || this.#ledger.chargeOf(unit) !== 'written') return;
    this.#ledger.refute(unit);
    if (this.#ledger.chargeOf(unit) === 'written') return;
    for (const { meter } of this.#known) if (meter.unit === unit) meter.forgetForeign();
  }

  /** More output is expected of an answer than was reserved for it. */
  grow(entry: Entry, tokens: number, now: number): void {
    const more = this.#ledger.grow(entry, tokens);
    if (more === 0) return;
    for (const { meter } of this.#known) {
      if (this.#ledger.chargeOf(meter.unit) === 'written') meter.correct(-more, now);
    }
  }

  /** It failed without being admitted. */
  refund(entry: Entry, now: number): void {
    for (const { meter } of this.#known)
      meter.correct(this.#ledger.charged(meter.unit, entry), now);
  }

  /** It ended. What a head has accounted for since stays as it is. */
  settle(entry: Entry, input: number, output: number, now: number): void {
    for (const { meter } of this.#known) {
      const charge = this.#ledger.chargeOf(meter.unit);
      let back = 0;
      if (
        meter.syncedAt < entry.sentAt &&
        (meter.unit === 'inputTokens' || meter.unit === 'tokens')
      ) {
        back += entry.input - input;
      }
      if (charge === 'written') back += entry.expected - output;
      if (charge === 'refunded') back += entry.most - output;
      if (back !== 0) meter.correct(back, now);
    }
  }

  snapshots(now: number): MeterSnapshot[] {
    return this.#known.map(({ meter }) => meter.snapshot(now));
  }

  /** Requests a minute that the scarcest limit lets through. */
  requestsPerMinute(): number | undefined {
    let least: number | undefined;
    for (const { meter } of this.#known) {
      if (meter.window.windowMs <= SHORT_MS)
        least = Math.min(least ?? Infinity, meter.requestsPerMinute);
    }
    return least;
  }

  #add(reading: NamedReading, entry: Entry, now: number): void {
    const parts = { ledger: this.#ledger, surroundings: this.#surroundings };
    const meter = new HeaderMeter(reading, entry, parts, now);
    this.#known.push({ meter, silent: 0, before: undefined });
  }

  /** Which limit has room for everything but what the answer may have, if no other limit lacks room. */
  #lacksOutput(readings: readonly NamedReading[], entry: Entry): OutputUnit | undefined {
    let lacking: OutputUnit | undefined;
    for (const reading of readings) {
      const { unit, remaining } = reading;
      if (remaining < this.#need(reading, entry)) return undefined;
      if (isOutput(unit) && remaining < this.#need(reading, entry) + entry.most) lacking = unit;
    }
    return lacking;
  }

  /** What must have been left of a limit for a request to be admitted, as far as it takes that at once. */
  #need({ unit, quantum }: NamedReading, entry: Entry): number {
    const rounding = quantum > 1 ? quantum / 2 : 0;
    const charged =
      this.#ledger.chargeOf(unit) === 'written' ? 0 : this.#ledger.charged(unit, entry);
    if (unit === 'requests' || unit === 'outputTokens') return Math.max(1, charged) + rounding;
    return Math.max(charged, this.#atMost(entry.input)) + rounding;
  }

  /** What an input may take that is expected to take so much. */
  #atMost(input: number): number {
    return input * (1 + SIGMAS * this.#sizes.inputError);
  }

  /** Compares what is left with what was left at an earlier head: the difference tells what answers count. */
  #learnCharge(known: Known, { remaining, quantum }: NamedReading, entry: Entry): void {
    const { meter, before } = known;
    if (!isOutput(meter.unit)) return;
    const elapsed = before === undefined ? 0 : entry.sentAt - before.entry.sentAt;
    if (before !== undefined && elapsed < APART_MS) return;
    const doubt = quantum + this.#ledger.unorderedOutput(entry);
    if (before !== undefined) {
      const grown = before.remaining + elapsed * meter.window.rate;
      if (meter.window.kind === 'bucket' && grown <= meter.window.cap && remaining > 0) {
        const charge = this.#ledger.chargeOf(meter.unit);
        const less = grown - remaining;
        this.#ledger.compare(meter.unit, less, before.entry, entry, doubt + before.doubt);
        if (this.#ledger.chargeOf(meter.unit) !== charge) meter.forgetForeign();
      }
    }
    // The next heads are compared with this one, unless it is much less certain than the one before.
    if (before === undefined || elapsed > LONG_MS || doubt <= 2 * before.doubt) {
      known.before = { entry, remaining, doubt };
    }
  }
}

type OutputUnit = 'tokens' | 'outputTokens';

function isOutput(unit: NamedReading['unit']): unit is OutputUnit {
  return unit === 'tokens' || unit === 'outputTokens';
}

function tellsRate({ meter }: Known): boolean {
  return meter.unit === 'requests' && meter.window.windowMs <= SHORT_MS;
}

interface Known {
  readonly meter: HeaderMeter;
  /** Heads in a row that did not tell of it. */
  silent: number;
  /** A head that told of it, and how far off our count may be there. */
  before: { readonly entry: Entry; readonly remaining: number; readonly doubt: number } | undefined;
}

/** Heads that are closer together say nothing of charges. */
const APART_MS = 120;
/** Heads that are farther apart are compared with newer ones. */
const LONG_MS = 5000;
/** Longer limits leave open how many requests a minute there may be. */
const SHORT_MS = 120_000;
/** Of the mean error of estimates, what a request has to find beside what it is expected to take. */
const SIGMAS = 3;
/** So many heads that do not tell of a limit, and it is none any more. */
const MANY = 100;
