import type { Lifetime } from '../types.ts';
import { Classes } from './classes.ts';
import { decide, type Candidate } from './decide.ts';
import { keepAll, type Keeping } from './entries.ts';
import { createNodes, isReadable, type Entry, type Nodes } from './nodes.ts';
import { learn } from './learn.ts';
import { outlook } from './outlook.ts';
import { placeMarks, reaches, type PlacedMark } from './place-marks.ts';
import { familyOf, recognise, type Position, type Recognised, type Sight } from './sight.ts';

/** What is to be done with a request, and why. */
export interface PlanDraft {
  readonly sight: Sight;
  readonly marks: readonly PlacedMark[];
  /** The end of the request is not worth keeping, though the provider would. */
  readonly onlyMarks: boolean;
  readonly candidates: readonly Candidate[];
  readonly decisions: ReadonlyArray<Lifetime | undefined>;
  /** The position whose entry is expected to be read. */
  readonly readFrom: Position | undefined;
  /** The deepest position that was seen before. */
  readonly knownTo: Position | undefined;
  /** Of the prefix that tools and system prompt make; empty without. */
  readonly family: string;
  /** Tokens that will be read, if the provider keeps what it promised. */
  readonly expectedRead: number;
  /** Tokens that will be written, by lifetime. */
  readonly expectedWrites: ReadonlyArray<readonly [lifetime: Lifetime, tokens: number]>;
  /** Hashes of the prefixes that this request writes. */
  readonly writes: readonly string[];
  /** The deepest prefix that an earlier request asked to be kept, whatever became of it. */
  readonly lastKept: (Entry & { readonly position: Position }) | undefined;
}

/** A prefix that is being written. */
export interface Pending {
  readonly hash: string;
  readonly tokens: number;
  /** Milliseconds, when the first request that writes it went out. */
  readonly since: number;
}

export interface PlannerOptions {
  /** Prefixes that are remembered, about 400 bytes each. */
  readonly maxPrefixes: number;
}

/**
 * Learns when prefixes come back and decides what to keep of a request. It owns what is known of prefixes (`Nodes`) and of
 * their classes (`Classes`); both are bounded. A plan is one synchronous step, so requests that arrive together see each
 * other.
 */
export class Planner {
  readonly #nodes: Nodes;
  readonly #classes = new Classes(4096);

  constructor({ maxPrefixes }: PlannerOptions) {
    this.#nodes = createNodes(maxPrefixes);
  }

  /** Decides, and takes note of the request. With `dryRun` nothing is noted. */
  plan(sight: Sight, { dryRun = false }: { dryRun?: boolean } = {}): PlanDraft {
    const { positions, rules, hostMarks } = sight;
    const request = recognise(sight, this.#nodes, dryRun);
    const { readFrom, longFrom, known } = request;
    const candidates = outlook(request, this.#classes);
    const tokensAt = (i: number | undefined): number =>
      i === undefined ? 0 : candidates[i]!.tokens;
    const kept = { tokens: tokensAt(readFrom), longTokens: tokensAt(longFrom) };
    const decisions = decide(candidates, kept, rules);
    const placed = placeMarks({
      candidates,
      decisions,
      canMark: sight.canMark,
      readFrom,
      hostMarks,
      rules,
    });
    const reached = this.#reached(request, placed);
    const keeping: Keeping = { request, candidates, decisions, placed, reached };
    const lastKept = this.#lastKept(positions, known);
    if (!dryRun) learn(request, this.#classes, this.#nodes);
    const keeps = keepAll(keeping, dryRun ? undefined : this.#nodes);
    const isRead = rules.writes !== 'endings' || !keeps.onlyMarks || keeps.marks.length > 0;
    return {
      sight,
      candidates,
      decisions,
      readFrom: isRead ? reached : undefined,
      knownTo: positions[known],
      family: familyOf(positions),
      expectedRead: (isRead && reached?.tokens) || 0,
      lastKept,
      ...keeps,
    };
  }

  /** The deepest prefix that can be read, by a look at the marks where only they are looked at. */
  #reached({ sight, known }: Recognised, placed: readonly PlacedMark[]): Position | undefined {
    const { now, positions, rules, hostMarks } = sight;
    // A mark on a prefix that is too short is no mark.
    const least = positions.find(({ tokens }) => tokens >= rules.minTokens)?.block ?? Infinity;
    const marks = [...placed, ...hostMarks].filter(({ block }) => block >= least);
    return positions.findLast(
      ({ hash, block }, i) =>
        i <= known &&
        isReadable(this.#nodes.peek(hash), now, sight.waits) &&
        (rules.writes !== 'marks' || marks.some((mark) => reaches(mark.block, block, rules))),
    );
  }

  /**
   * The deepest prefix that another request is writing at this moment, if it is deeper than what can be read already; how
   * many tokens waiting for it would turn from plain or written ones into read ones; and since when it is being written.
   */
  pendingOf({ now, positions }: Sight): Pending | undefined {
    let pending: Pending | undefined;
    for (let i = positions.length - 1; i >= 0; i--) {
      const { hash, tokens } = positions[i]!;
      const entry = this.#nodes.peek(hash)?.entry;
      if (entry === undefined || now >= entry.expiresAt) continue;
      if (entry.readableAt <= now)
        return pending && { ...pending, tokens: pending.tokens - tokens };
      if (entry.readableAt === Infinity) pending ??= { hash, tokens, since: entry.writtenAt };
    }
    return pending;
  }

  #lastKept(positions: readonly Position[], known: number): PlanDraft['lastKept'] {
    for (let i = known; i >= 0; i--) {
      const position = positions[i]!;
      const entry = this.#nodes.peek(position.hash)?.entry;
      if (entry !== undefined) return { ...entry, position };
    }
    return undefined;
  }

  /** The answer begins: what the request wrote can be read from now on. */
  answered({ writes }: PlanDraft, now: number): void {
    for (const hash of writes) {
      const entry = this.#nodes.peek(hash)?.entry;
      if (entry !== undefined) entry.readableAt = Math.min(entry.readableAt, now);
    }
  }

  /** The request wrote nothing. What another one writes too stays. */
  failed({ writes }: PlanDraft): void {
    for (const hash of writes) {
      const node = this.#nodes.peek(hash);
      if (node?.entry !== undefined && --node.entry.writers <= 0) node.entry = undefined;
    }
  }

  /** The provider does not keep them. */
  forget(hashes: readonly string[]): void {
    for (const hash of hashes) {
      const node = this.#nodes.peek(hash);
      if (node !== undefined) node.entry = undefined;
    }
  }

  get prefixes(): number {
    return this.#nodes.size;
  }
}
