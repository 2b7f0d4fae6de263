import type { Demand, LimitUnit, RateLimiting } from '../types.ts';
import { Answers } from './answers.ts';
import {
  firstCharge,
  type OutputCharge,
  OutputChargeLearner,
  type OutputUse,
} from './output-charge.ts';
import { SentLog } from './sent-log.ts';
import type { Sizes } from './sizes.ts';
import type { Sent } from './types.ts';

/** What one request takes, as the ledger keeps it. */
export interface Entry extends Sent {
  /** Its number in the log. */
  number: number;
  input: number;
  /** Output that it may have. */
  most: number;
  /** Output that it is expected to have; grows with the answer. */
  expected: number;
  /** Of all requests when it was sent: output that ended answers did not need, and that was written. */
  unusedBefore: number;
  writtenBefore: number;
}

/** What a head means for our count: what we used around and since the request that it answers. */
export interface Around {
  /** By the request itself, when it was sent. */
  readonly itself: number;
  /** Clearly later: the head cannot know of it. */
  readonly after: number;
  /** So shortly before or after that nobody knows what came first. */
  readonly unordered: number;
  /** Not yet used at all, but reserved. */
  readonly outstanding: number;
}

type OutputUnit = 'tokens' | 'outputTokens';

/** What all requests of one lane took, in every unit, with what is known of each by now. */
export class Ledger {
  readonly #sizes: Sizes;
  readonly #log = new SentLog();
  readonly #answers = new Answers();
  readonly #charges: Readonly<Record<OutputUnit, OutputChargeLearner>>;
  /** The last request whose surroundings were looked up. A head is compared with every limit that it tells. */
  #nearTo: Entry | undefined;
  #range: readonly [from: number, to: number] = [0, 0];
  /** Output that ended answers did not need of what they might have had. */
  #unused = 0;

  constructor(sizes: Sizes, documented: RateLimiting['outputCharge'] | undefined) {
    this.#sizes = sizes;
    this.#charges = {
      tokens: new OutputChargeLearner(firstCharge('tokens', documented)),
      outputTokens: new OutputChargeLearner(firstCharge('outputTokens', documented)),
    };
  }

  /** What a request would take of a limit in this unit, when it is sent. */
  cost(unit: LimitUnit, demand: Demand): number {
    if (unit === 'requests') return 1;
    const input = unit === 'outputTokens' ? 0 : this.#sizes.input(demand);
    if (unit === 'inputTokens') return input;
    const expected = this.#sizes.output(demand);
    return input + this.#output(unit, this.#sizes.most(demand) ?? expected, expected);
  }

  /** What a request took of a limit in this unit, when it was sent. */
  charged(unit: LimitUnit, { input, most, expected }: Entry): number {
    if (unit === 'requests') return 1;
    if (unit === 'inputTokens') return input;
    return (unit === 'tokens' ? input : 0) + this.#output(unit, most, expected);
  }

  /** `undefined` when it was sent too long ago to know. */
  around(unit: LimitUnit, entry: Entry, now: number): Around | undefined {
    if (!this.#log.reaches(entry.number)) return undefined;
    const [from, to] = this.#near(entry);
    const isWritten = this.chargeOf(unit) === 'written';
    const itself = this.#sent(unit, entry.number, entry.number + 1);
    return {
      itself,
      after: this.#sent(unit, to, Infinity) + this.#since(unit, entry, now),
      unordered: Math.max(0, this.#sent(unit, from, to) - itself),
      outstanding: isWritten ? this.#answers.outstanding(now) : 0,
    };
  }

  /** What was used from one request to another. `undefined` when that is forgotten. */
  used(unit: LimitUnit, before: Entry, entry: Entry): number | undefined {
    if (!this.#log.reaches(before.number)) return undefined;
    const sent = this.#sent(unit, before.number + 1, entry.number + 1);
    switch (this.chargeOf(unit)) {
      case 'written':
        return sent + entry.writtenBefore - before.writtenBefore;
      case 'refunded':
        return sent - (entry.unusedBefore - before.unusedBefore);
      default:
        return sent;
    }
  }

  /** What a limit in this unit was charged at the moment of sending, for what was sent after `after` up to `upTo`. */
  sent(unit: LimitUnit, after: number, upTo: number): number {
    return this.#sent(unit, this.#log.firstAfter(after), this.#log.firstAfter(upTo));
  }

  /** When requests were sent after `time` that were not refused and did not fail. */
  moments(after: number): readonly number[] {
    return this.#log.moments('requests', after);
  }

  /** Within how many milliseconds after `from` so much was sent; `undefined` when it was not until `to`. */
  sentWithin(unit: LimitUnit, amount: number, from: number, to: number): number | undefined {
    if (this.sent(unit, from, to) < amount) return undefined;
    let early = from;
    let late = to;
    while (late - early > 1) {
      const middle = (early + late) / 2;
      if (this.sent(unit, from, middle) < amount) early = middle;
      else late = middle;
    }
    return late - from;
  }

  /** Output that others might have that were asked for so shortly before or after that nobody knows what came first. */
  unorderedOutput(entry: Entry): number {
    const [from, to] = this.#near(entry);
    const itself = this.#log.sum('most', entry.number, entry.number + 1);
    return Math.max(0, this.#log.sum('most', from, to) - itself);
  }

  /** What answers count against limits in this unit. */
  chargeOf(unit: LimitUnit): OutputCharge {
    return unit === 'tokens' || unit === 'outputTokens' ? this.#charges[unit].belief : 'none';
  }

  /** Teaches the charge: so much less is left of a limit than when `before` was sent, with what flowed in since. */
  compare(unit: OutputUnit, less: number, before: Entry, entry: Entry, doubt: number): void {
    const from = before.number + 1;
    const to = entry.number + 1;
    if (!this.#log.reaches(from)) return;
    const input = unit === 'tokens' ? this.#log.sum('input', from, to) : 0;
    const use: OutputUse = {
      most: this.#log.sum('most', from, to),
      unused: entry.unusedBefore - before.unusedBefore,
      written: entry.writtenBefore - before.writtenBefore,
    };
    this.#charges[unit].observe(less - input, use, entry.sentAt - before.sentAt, doubt);
  }

  /** Nothing but all that its answer may have explains that a request was refused. */
  refute(unit: OutputUnit): void {
    this.#charges[unit].refuted(unit === 'tokens' ? 'kept' : 'refunded');
  }

  enter(entry: Entry): void {
    const { demand, sentAt } = entry;
    entry.input = this.#sizes.input(demand);
    entry.expected = this.#sizes.output(demand);
    entry.most = this.#sizes.most(demand) ?? entry.expected;
    entry.unusedBefore = this.#unused;
    entry.writtenBefore = this.#answers.written(sentAt);
    this.#answers.sent(entry);
    entry.number = this.#log.add(sentAt);
    this.#log.set(entry.number, 'requests', 1);
    this.#log.set(entry.number, 'input', entry.input);
    this.#log.set(entry.number, 'most', entry.most);
  }

  /** The head of its answer is here. */
  begun(entry: Entry): void {
    this.#answers.begun(entry);
  }

  /** The answer has outgrown what was expected of it. Returns by how much more is expected now. */
  grow(entry: Entry, tokens: number): number {
    if (tokens <= entry.expected) return 0;
    const most = Math.max(tokens, this.#sizes.most(entry.demand) ?? Infinity);
    const more = Math.min(most, GROWTH * tokens) - entry.expected;
    this.#answers.grown(entry, more);
    return more;
  }

  /** It was not admitted: it took nothing. */
  strike(entry: Entry): void {
    this.#answers.ended(entry, 0);
    this.#log.set(entry.number, 'requests', 0);
    this.#log.set(entry.number, 'input', 0);
    this.#log.set(entry.number, 'most', 0);
  }

  /** It ended, and took so much. */
  settle(entry: Entry, input: number, output: number): void {
    this.#answers.ended(entry, output);
    this.#unused += Math.max(0, entry.most - output);
    this.#log.set(entry.number, 'input', input);
  }

  /** So fast one of its answers was written. */
  learnSpeed(tokensPerSecond: number): void {
    this.#answers.learn(tokensPerSecond);
  }

  /** What is likely written of an answer that was given up. */
  likelyWritten(entry: Entry, now: number): number {
    return Math.min(entry.most, this.#answers.likely(entry, now));
  }

  /** As `sent`, by the numbers of the first request and of the one after the last. */
  #sent(unit: LimitUnit, from: number, to: number): number {
    const log = this.#log;
    if (unit === 'requests') return log.sum('requests', from, to);
    const input = unit === 'outputTokens' ? 0 : log.sum('input', from, to);
    const charge = this.chargeOf(unit);
    return charge === 'none' || charge === 'written' ? input : input + log.sum('most', from, to);
  }

  /** Numbers of the first request that was sent so shortly before that it may have come later, and of the first clearly later. */
  #near(entry: Entry): readonly [from: number, to: number] {
    if (this.#nearTo !== entry) {
      this.#nearTo = entry;
      const { sentAt } = entry;
      this.#range = [
        this.#log.firstAfter(sentAt - UNORDERED_MS),
        this.#log.firstAfter(sentAt + UNORDERED_MS),
      ];
    }
    return this.#range;
  }

  /** What was used of a limit since a request was sent, beside what is charged at the moment of sending. */
  #since(unit: LimitUnit, entry: Entry, now: number): number {
    switch (this.chargeOf(unit)) {
      case 'written':
        return this.#answers.written(now) - entry.writtenBefore;
      case 'refunded':
        return entry.unusedBefore - this.#unused;
      default:
        return 0;
    }
  }

  #output(unit: OutputUnit, most: number, expected: number): number {
    const charge = this.chargeOf(unit);
    if (charge === 'none') return 0;
    return charge === 'written' ? expected : most;
  }
}

/** Requests that are sent so shortly after each other may arrive in any order. */
const UNORDERED_MS = 60;
/** An answer that is longer than expected is expected to go on so much. */
const GROWTH = 1.25;
