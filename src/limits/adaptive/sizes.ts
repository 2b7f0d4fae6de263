import type { Demand } from '../types.ts';
import { clamp } from './foreign-use.ts';

/**
 * How many tokens requests have, learnt for one model. The estimate of the input comes from the length of the body: it is off
 * by a factor (the language, the tokenizer) and by a constant (what every body has around its text). How long answers get is
 * learnt for each bound that requests set them.
 */
export class Sizes {
  /** Whether what is read from the prompt cache counts against the limit on input. */
  readonly #countsCacheReads: boolean;
  readonly #line = new Line();
  #inputError = 0.05;
  readonly #outputs = new Map<number | undefined, Mean>();
  readonly #allOutputs = new Mean();
  /** What was last asked about, and the answers: every limit asks the same of a request. */
  #last: Demand | undefined;
  #lastInput = 0;
  #lastOutput = 0;

  constructor(countsCacheReads: boolean) {
    this.#countsCacheReads = countsCacheReads;
  }

  /** How far off estimates of the input are on average, as a share of it. */
  get inputError(): number {
    return this.#inputError;
  }

  /** Expected input tokens that count. */
  input(demand: Demand): number {
    if (demand !== this.#last) this.#estimate(demand);
    return this.#lastInput;
  }

  /** Expected tokens of the answer. */
  output(demand: Demand): number {
    if (demand !== this.#last) this.#estimate(demand);
    return this.#lastOutput;
  }

  #estimate(demand: Demand): void {
    this.#last = demand;
    this.#lastInput = this.#inputOf(demand);
    this.#lastOutput = this.#outputOf(demand);
  }

  #inputOf({ inputTokens, cachedTokens }: Demand): number {
    const estimated = sane(inputTokens) ?? 1;
    const tokens = this.#line.at(Math.max(1, estimated));
    if (this.#countsCacheReads || !(cachedTokens > 0)) return tokens;
    return Math.max(1, tokens * (1 - clamp(cachedTokens / Math.max(1, estimated), 0, 1)));
  }

  /** Input tokens that counted; `undefined` when the provider did not say. */
  realInput(all: number | undefined, cacheRead: number | undefined): number | undefined {
    const tokens = sane(all);
    if (tokens === undefined || this.#countsCacheReads) return tokens;
    return Math.max(0, tokens - (sane(cacheRead) ?? 0));
  }

  /** The most that the answer may have, where that is known. */
  most({ maxOutputTokens }: Demand): number | undefined {
    const most = sane(maxOutputTokens);
    return most === undefined || most < 1 ? undefined : most;
  }

  #outputOf(demand: Demand): number {
    const most = this.most(demand);
    const prior = this.#allOutputs.withPrior(
      Math.min(FIRST_GUESS, FIRST_SHARE * (most ?? Infinity)),
    );
    const expected = this.#outputs.get(most)?.withPrior(prior) ?? prior;
    return Math.min(expected, most ?? Infinity);
  }

  /** `all`: with what was read from the prompt cache. `expected`: what was thought to count, of which `counted` did. */
  learnInput(demand: Demand, all: number, expected: number, counted: number): void {
    this.#last = undefined;
    this.#inputError += WEIGHT * (Math.min(1, Math.abs(counted / expected - 1)) - this.#inputError);
    this.#line.add(Math.max(1, sane(demand.inputTokens) ?? 1), all, this.#inputError);
  }

  learnOutput(demand: Demand, tokens: number): void {
    this.#last = undefined;
    const most = this.most(demand);
    this.#allOutputs.add(tokens);
    const known = this.#outputs.get(most) ?? new Mean();
    if (!this.#outputs.has(most) && this.#outputs.size >= MAX_BOUNDS) {
      for (const oldest of this.#outputs.keys()) {
        this.#outputs.delete(oldest);
        break;
      }
    }
    this.#outputs.set(most, known);
    known.add(tokens);
  }
}

/** Estimates and providers may be wrong, but not in a way that counts could not stand. */
export function sane(tokens: number | undefined): number | undefined {
  return tokens !== undefined && tokens >= 0 ? Math.min(tokens, MOST_TOKENS) : undefined;
}

/** A straight line through real sizes over estimated ones. Each counts by how far off it is as a share, not in tokens. */
class Line {
  #factor = 1;
  #constant = 0;
  #samples = 0;
  /** Means over r = real / estimated and u = 1 / estimated, since r = factor + constant * u. */
  #r = 0;
  #u = 0;
  #uu = 0;
  #ru = 0;

  at(estimated: number): number {
    return Math.max(1, this.#factor * estimated + this.#constant);
  }

  /** `error`: how far off estimates are, as a share. */
  add(estimated: number, real: number, error: number): void {
    const u = 1 / estimated;
    const r = clamp(real * u, 1 / MOST_OFF, MOST_OFF);
    const weight = Math.max(WEIGHT, 1 / ++this.#samples);
    this.#r += weight * (r - this.#r);
    this.#u += weight * (u - this.#u);
    this.#uu += weight * (u * u - this.#uu);
    this.#ru += weight * (r * u - this.#ru);
    this.#constant = this.#slope(error);
    this.#factor = clamp(this.#r - this.#constant * this.#u, 1 / MOST_OFF, MOST_OFF);
  }

  /** The constant, as far as it is more than chance. */
  #slope(error: number): number {
    const spread = this.#uu - this.#u ** 2;
    if (this.#samples < LEAST_SAMPLES || spread <= this.#uu * 1e-6) return 0;
    const slope = (this.#ru - this.#r * this.#u) / spread;
    const chance = (3 * error) / Math.sqrt(spread * Math.min(this.#samples, 2 / WEIGHT));
    return Math.abs(slope) > chance ? slope : 0;
  }
}

/** A mean that follows: the newest forty weigh most. */
class Mean {
  #samples = 0;
  #mean = 0;

  add(value: number): void {
    this.#mean += (value - this.#mean) / Math.min(++this.#samples, 40);
  }

  /** A first guess stands for the samples that are missing. */
  withPrior(guess: number): number {
    const missing = Math.max(0, 4 - this.#samples);
    return (
      (this.#mean * (this.#samples + missing) + (guess - this.#mean) * missing) /
      (this.#samples + missing)
    );
  }
}

const MOST_TOKENS = 1e9;
/** Of the newest sample against all before it. */
const WEIGHT = 0.03;
/** Estimates are believed to be off by no more than this factor. */
const MOST_OFF = 4;
/** Before, a constant is as likely chance. */
const LEAST_SAMPLES = 10;
/** Answers are rarely longer, whatever they may be. */
const FIRST_GUESS = 1500;
const FIRST_SHARE = 0.4;
/** Bounds of the answer that are told apart; hosts rarely use more than a few. */
const MAX_BOUNDS = 64;
