import type { Demand } from '../types.ts';
import { Largest } from './largest.ts';
import { Trust } from './trust.ts';

/** What a request is counted with until its answer says what it took. */
export interface Reservation {
  readonly input: number;
  readonly output: number;
  /** What it is counted with in the end when nobody says more. */
  readonly likelyInput: number;
  readonly likelyOutput: number;
  readonly estimate: number;
  readonly kind: OutputKind;
  /** It relies on what others took, and may take more. */
  readonly trustsInputs: boolean;
  readonly trustsOutputs: boolean;
}

/** What an answer took. `undefined` where nobody said. */
export interface Taken {
  readonly input: number | undefined;
  readonly output: number | undefined;
  /** It was not broken off: its size says something of the next one's. */
  readonly isWhole: boolean;
}

/** Answers that are likely to be alike: requests that allow about as many tokens. */
class OutputKind {
  readonly trust: Trust = new Trust();
  readonly largest: Largest = new Largest();
}

/**
 * Reserves tokens for requests, learning from what others took: not from their mean, since a limit has to hold, but from the
 * largest of late. Only so many may rely on that (`Trust`); the others are reserved all that they may take. So a window has the
 * limit and one request more at most, where requests say how long their answer may be and estimates of the input are right; and
 * hardly ever more where they do not.
 */
export class TokenSizes {
  readonly #limit: number;
  readonly #countsCacheReads: boolean;
  readonly #inputs: Trust = new Trust();
  /** Of all kinds together. */
  readonly #outputs: Trust = new Trust();
  /** Counted tokens per estimated one, and how many more they were. */
  readonly #ratio: Largest = new Largest();
  readonly #excess: Largest = new Largest();
  /** By how many bits what requests allow has; those that allow anything first. */
  readonly #kinds: Array<OutputKind | undefined> = Array.from({ length: 34 });

  /** `limit`: the smallest that output counts against. */
  constructor(limit: number, countsCacheReads: boolean) {
    this.#limit = limit;
    this.#countsCacheReads = countsCacheReads;
  }

  reserve({ inputTokens, cachedTokens, maxOutputTokens }: Demand): Reservation {
    const counted = this.#countsCacheReads ? inputTokens : inputTokens - cachedTokens;
    const estimate = Math.max(1, tokenCount(counted) ?? 1);
    const likelyInput = this.#likelyInput(estimate);
    const mostInput = Math.max(likelyInput, estimate * MOST_RATIO + MOST_EXCESS);
    const trustsInputs = this.#inputs.hasRoom;

    const allowed = tokenCount(maxOutputTokens);
    const kind = this.#kindOf(allowed);
    const seen = kind.largest.value;
    const expected =
      seen === undefined ? (allowed ?? FIRST_OUTPUT) : Math.ceil(seen + seen / MARGIN);
    const mostOutput = this.#mostOutput(allowed, expected);
    const likelyOutput = Math.min(expected, mostOutput);
    const isTight = mostOutput * FEW > this.#limit;
    const hasRoom = isTight ? this.#outputs.hasRoomIfTight : kind.trust.hasRoom;
    const trustsOutputs = likelyOutput < mostOutput && hasRoom;
    return {
      input: trustsInputs ? likelyInput : mostInput,
      output: trustsOutputs ? likelyOutput : mostOutput,
      likelyInput,
      likelyOutput,
      estimate,
      kind,
      trustsInputs,
      trustsOutputs,
    };
  }

  /** What of a reported input counts. */
  countedInput(total: number | undefined, cacheRead: number | undefined): number | undefined {
    const input = tokenCount(total);
    if (input === undefined || this.#countsCacheReads) return input;
    return Math.max(0, input - (tokenCount(cacheRead) ?? 0));
  }

  open({ kind, trustsInputs, trustsOutputs }: Reservation): void {
    if (trustsInputs) this.#inputs.start();
    if (!trustsOutputs) return;
    this.#outputs.start();
    kind.trust.start();
  }

  /** The answer is already that long. */
  grew({ kind }: Reservation, output: number): void {
    kind.largest.raise(output);
  }

  close({ kind, trustsInputs, trustsOutputs }: Reservation): void {
    if (trustsInputs) this.#inputs.end();
    if (!trustsOutputs) return;
    this.#outputs.end();
    kind.trust.end();
  }

  learn({ kind, estimate }: Reservation, { input, output, isWhole }: Taken): void {
    if (isWhole || input !== undefined) this.#inputs.saw();
    if (isWhole) {
      this.#outputs.saw();
      kind.trust.saw();
    }
    if (input !== undefined) {
      this.#ratio.add(input / estimate);
      this.#excess.add(input - estimate);
    }
    if (output === undefined) return;
    if (isWhole) kind.largest.add(output);
    else kind.largest.raise(output);
  }

  /** What the request allows; but within reason where even that is not much of the limit. */
  #mostOutput(allowed: number | undefined, expected: number): number {
    const reasonable = Math.max(FIRST_OUTPUT, expected * MOST_RATIO);
    if (allowed === undefined) return reasonable;
    return allowed * MOST_RATIO > this.#limit ? allowed : Math.min(allowed, reasonable);
  }

  /** Whichever is less: longer texts have more tokens in proportion, a hidden system prompt adds the same to each. */
  #likelyInput(estimate: number): number {
    const ratio = this.#ratio.value;
    const excess = this.#excess.value;
    if (ratio === undefined || excess === undefined) return estimate;
    return Math.ceil(Math.min(estimate * ratio, estimate + Math.max(0, excess)));
  }

  #kindOf(allowed: number | undefined): OutputKind {
    const place = allowed === undefined ? 0 : 33 - Math.clz32(allowed);
    return (this.#kinds[place] ??= new OutputKind());
  }
}

/** Whole and finite, because a sum that has once been neither stays so. */
export function tokenCount(given: number | undefined): number | undefined {
  return given !== undefined && given >= 0 ? Math.min(Math.ceil(given), MOST_TOKENS) : undefined;
}

const MOST_TOKENS = 1_000_000_000;
/** A tenth on the largest of late. */
const MARGIN = 10;
/** The first answer of requests that allow any size. */
const FIRST_OUTPUT = 4096;
/** The most within reason, by what is likely: texts of few bytes a token, an answer far longer than those of late. */
const MOST_RATIO = 4;
/** Input that a body does not show. */
const MOST_EXCESS = 1000;
/** Requests of the largest size that make up a limit which is tight for them. */
const FEW = 16;
