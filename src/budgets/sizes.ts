import { Largest } from '../limits/rules/largest.ts';
import { tokenCount } from '../limits/rules/token-sizes.ts';

/** What a request may take, as far as it shows. */
export interface RequestSize {
  /** A quarter of its characters. */
  readonly estimate: number;
  /** The most that the answer may have, where the request says so. */
  readonly maxOutput: number | undefined;
  /** Its input is more than its body shows: it names files, stored answers or conversations. */
  readonly isPartial: boolean;
}

/** What is reserved for a request, in tokens. */
export interface SizeReservation {
  readonly input: number;
  readonly output: number;
  /** What the input is likely to be. */
  readonly likelyInput: number;
  /** It relies on what others took, and may take more. */
  readonly relies: boolean;
  /** The most that a token of others cost, in pico-dollars, where that is known. */
  readonly rates: { readonly input: number; readonly output: number } | undefined;
  readonly size: RequestSize;
  readonly kind: Kind;
  readonly sizes: ModelSizes;
}

/** What an answer took. */
export interface TakenTokens {
  readonly input: number | undefined;
  readonly output: number | undefined;
  /** What they cost, in pico-dollars. */
  readonly inputPico: bigint | undefined;
  readonly outputPico: bigint | undefined;
  /** It was not broken off: its size says something of the next one's. */
  readonly isWhole: boolean;
}

/** Requests that allow about as many tokens, whose answers are likely to be alike. */
class Kind {
  readonly largest: Largest = new Largest();
  /** Calls so far, and of those under way their numbers, the oldest first. */
  #started = 0;
  readonly #open: Set<number> = new Set();
  /** Answers whose size is known. */
  #seen = 0;
  #relying = 0;

  /**
   * Of `n + 1` calls one is likely to be larger than `n` others: about as many may rely on the largest of those that were seen. A
   * few show little, so until then one at a time. Short answers come first, so only calls older than any still under way
   * count; but for one, or a single endless stream would stop all learning.
   */
  get hasRoom(): boolean {
    const open = this.#open.values();
    open.next();
    const second = open.next();
    const before = second.done === true ? this.#started : second.value;
    const seen = Math.min(this.#seen, before);
    return this.#relying < Math.min(MOST_RELYING, Math.max(1, seen + 1 - FEW));
  }

  start(relies: boolean): number {
    if (relies) this.#relying++;
    this.#open.add(this.#started);
    return this.#started++;
  }

  end(number: number, relies: boolean): void {
    if (relies) this.#relying--;
    this.#open.delete(number);
  }

  learn(output: number, isWhole: boolean, isSurprise: boolean): void {
    if (!isWhole) {
      this.largest.raise(output);
      return;
    }
    this.largest.add(output);
    this.#seen = isSurprise ? 1 : this.#seen + 1;
  }
}

/**
 * How many tokens to reserve for a request of one model: all that it may take within reason, or, as far as others have been
 * seen, the largest of late and a tenth. What a request allows is often a hundred times what it takes.
 */
export class ModelSizes {
  /** Counted input tokens per estimated one, and how many more they were. */
  readonly #ratio: Largest = new Largest();
  readonly #excess: Largest = new Largest();
  /** Pico-dollars a token. Less than the list says where prompts are read from the cache. */
  readonly #inputRate: Largest = new Largest();
  readonly #outputRate: Largest = new Largest();
  /** By how many bits what requests allow has; those that allow anything first. */
  readonly #kinds: Kind[] = [];
  /** The same of all tenants, for those of whom nothing has been seen. */
  readonly #ofAll: ModelSizes | undefined;

  constructor(ofAll?: ModelSizes) {
    this.#ofAll = ofAll;
  }

  /** `mayRely`: on what others took; else it is reserved all that it may take. */
  reserve(size: RequestSize, mayRely = true): SizeReservation {
    const allowed = tokenCount(size.maxOutput);
    const own = this.#kindOf(allowed);
    if (this.#ofAll !== undefined && own.largest.value === undefined) {
      return { ...this.#ofAll.reserve(size, mayRely), sizes: this };
    }
    const estimate = Math.max(1, tokenCount(size.estimate) ?? 1);
    const kind = own;
    const likelyInput = this.#likelyInput(estimate);
    const unseen = size.isPartial ? MOST_INPUT : estimate * MOST_RATIO + MOST_EXCESS;
    const mostInput = Math.max(likelyInput, unseen);
    const seen = kind.largest.value;
    const most = allowed ?? MOST_OUTPUT;
    // Not every server obeys.
    const mostOutput = seen === undefined || seen <= most ? most : withMargin(seen);
    const relies = mayRely && seen !== undefined && kind.hasRoom;
    return {
      input: relies ? likelyInput : mostInput,
      output: relies ? Math.min(mostOutput, withMargin(seen)) : mostOutput,
      likelyInput,
      relies,
      rates: this.#rates(),
      size: { ...size, estimate, maxOutput: allowed },
      kind,
      sizes: this,
    };
  }

  learn(reservation: SizeReservation, taken: TakenTokens): void {
    this.#ofAll?.learn(reservation, taken);
    const { size, output, relies } = reservation;
    const { estimate } = size;
    const kind = this.#kindOf(size.maxOutput);
    const tookInput = tokenCount(taken.input);
    if (tookInput !== undefined && tookInput > 0) {
      this.#ratio.add(tookInput / estimate);
      this.#excess.add(tookInput - estimate);
    }
    const took = tokenCount(taken.output) ?? (size.maxOutput === 0 ? 0 : undefined);
    learnRate(this.#inputRate, taken.inputPico, tookInput);
    learnRate(this.#outputRate, taken.outputPico, took);
    if (took !== undefined) kind.learn(took, taken.isWhole, relies && took > output * SURPRISE);
  }

  #rates(): SizeReservation['rates'] {
    const input = this.#inputRate.value;
    const output = this.#outputRate.value;
    return input === undefined || output === undefined ? undefined : { input, output };
  }

  /** Whichever is less: longer texts have more tokens in proportion, a hidden system prompt adds the same to each. */
  #likelyInput(estimate: number): number {
    const ratio = this.#ratio.value;
    const excess = this.#excess.value;
    if (ratio === undefined || excess === undefined) return estimate;
    return withMargin(Math.min(estimate * ratio, estimate + Math.max(0, excess)));
  }

  #kindOf(allowed: number | undefined): Kind {
    const place = allowed === undefined ? 0 : 33 - Math.clz32(allowed);
    return (this.#kinds[place] ??= new Kind());
  }
}

function learnRate(rate: Largest, pico: bigint | undefined, tokens: number | undefined): void {
  if (pico !== undefined && tokens !== undefined && tokens > 0) rate.add(Number(pico) / tokens);
}

function withMargin(tokens: number): number {
  return Math.ceil(tokens + tokens / MARGIN);
}

/** A tenth on the largest of late. */
const MARGIN = 10;
/** Texts of one character a token, and input that a body does not show. */
const MOST_RATIO = 4;
const MOST_EXCESS = 1000;
/** What an input may have of which the body shows only a part: the largest window that is widely used (GPT-5's, 2026-11-21). */
const MOST_INPUT = 400_000;
/** What an answer may have at most where its request does not say: no model gives more (2026-11-21). */
const MOST_OUTPUT = 131_072;
/** Of two calls that rely on one that was seen, both are larger one time in three; of two on four, one time in fifteen. */
const FEW = 3;
/** An answer so many times as long as expected: the others have changed too. */
const SURPRISE = 2;
/** Beyond that, what answers do all at once costs more than waiting does. */
const MOST_RELYING = 64;
