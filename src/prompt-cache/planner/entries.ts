import type { CacheRules, Lifetime, Ttl } from '../types.ts';
import { costsOf, type Candidate } from './decide.ts';
import type { Nodes } from './nodes.ts';
import type { PlacedMark } from './place-marks.ts';
import type { Position, Recognised } from './sight.ts';

/** What was decided, before it is known what the provider will make of it. */
export interface Keeping {
  readonly request: Recognised;
  readonly candidates: readonly Candidate[];
  readonly decisions: ReadonlyArray<Lifetime | undefined>;
  readonly placed: readonly PlacedMark[];
  /** The deepest prefix that will be read. */
  readonly reached: Position | undefined;
}

interface Kept {
  readonly marks: readonly PlacedMark[];
  readonly onlyMarks: boolean;
  readonly expectedWrites: ReadonlyArray<readonly [lifetime: Lifetime, tokens: number]>;
  readonly writes: readonly string[];
}

/**
 * Works out what the provider will keep of a request, and notes it where there is something to note it in. What is written
 * can be read only once the answer has begun, so new entries begin as not yet readable.
 */
export function keepAll(keeping: Keeping, nodes: Nodes | undefined): Kept {
  const { request, reached } = keeping;
  const { positions, rules, hostMarks } = request.sight;
  const end = positions.at(-1)!;
  const endings = rules.writes === 'endings' ? endingsOf(keeping) : undefined;
  const marks = endings?.marks ?? (rules.writes === 'marks' ? keeping.placed : []);

  const kept: Array<readonly [position: Position, lifetime: Lifetime]> = [];
  const lifetimeOf = (ttl: Ttl): Lifetime =>
    rules.lifetimes.find((lifetime) => lifetime.ttl === ttl) ?? rules.lifetimes[0]!;
  for (const { candidate, ttl } of marks) {
    kept.push([positions[request.chosen[candidate]!]!, lifetimeOf(ttl)]);
  }
  for (const { block, ttl } of hostMarks) {
    const position = positions.find((candidate) => candidate.block === block);
    if (position !== undefined) kept.push([position, lifetimeOf(ttl)]);
  }
  const [shortest] = rules.lifetimes;
  if (rules.writes === 'prefix') {
    for (const index of request.chosen) kept.push([positions[index]!, shortest!]);
  } else if (endings !== undefined && !endings.onlyMarks) {
    kept.push([end, shortest!]);
    const system = positions.findLast(({ tier }) => tier === 'system');
    if (system !== undefined) kept.push([system, shortest!]);
  }

  const long = kept.filter(([, { ms }]) => ms > shortest!.ms);
  const short = kept.filter(([, { ms }]) => ms === shortest!.ms);
  const read = reached?.tokens ?? 0;
  const longTo = deepest(long, rules, read);
  const shortTo = deepest(short, rules, longTo);
  const expectedWrites: Array<readonly [Lifetime, number]> = [];
  if (shortTo > longTo) expectedWrites.push([shortest!, shortTo - longTo]);
  if (longTo > read) expectedWrites.push([rules.lifetimes.at(-1)!, longTo - read]);

  const writes = nodes === undefined ? [] : note(kept, nodes, keeping);
  const onlyMarks = endings?.onlyMarks ?? false;
  return { marks, onlyMarks, expectedWrites, writes };
}

function deepest(
  kept: ReadonlyArray<readonly [Position, Lifetime]>,
  { minTokens }: CacheRules,
  least: number,
): number {
  let most = least;
  for (const [{ tokens }] of kept) if (tokens >= minTokens && tokens > most) most = tokens;
  return most;
}

/**
 * A provider that keeps the end of every request needs no mark there. Where the end is not worth its price, only marks are
 * to be kept. Where nothing that is worth keeping can be marked, it is all or nothing, whichever costs less.
 */
function endingsOf({ request, candidates, decisions, placed }: Keeping): {
  marks: readonly PlacedMark[];
  onlyMarks: boolean;
} {
  const last = candidates.length - 1;
  if (decisions[last] !== undefined) {
    return { marks: placed.filter(({ candidate }) => candidate !== last), onlyMarks: false };
  }
  if (placed.length > 0) return { marks: placed, onlyMarks: true };
  return { marks: [], onlyMarks: !isWorthAll(request, candidates) };
}

/** Whether keeping all of a request costs less than keeping nothing, though its end will hardly be read again. */
function isWorthAll(request: Recognised, candidates: readonly Candidate[]): boolean {
  const { positions, rules } = request.sight;
  const read = request.readFrom === undefined ? 0 : candidates[request.readFrom]!.tokens;
  const system = request.chosen.findLastIndex((index) => positions[index]!.tier === 'system');
  let saved = read * (1 - rules.read);
  let before = read;
  for (const [i, candidate] of candidates.entries()) {
    // Between the system prompt and the end there is no place where an entry could end.
    if (i !== system && i !== candidates.length - 1) continue;
    if (candidate.tokens <= before) continue;
    const [none, kept] = costsOf(candidate, rules).map(([, cost]) => cost);
    saved += (candidate.tokens - before) * ((none ?? 0) - (kept ?? 0));
    before = candidate.tokens;
  }
  return saved > 0;
}

/** New entries, and longer life for those that are read or marked. Gives the hashes of what must be waited for. */
function note(
  kept: ReadonlyArray<readonly [Position, Lifetime]>,
  nodes: Nodes,
  { request, reached }: Keeping,
): string[] {
  const { now, rules } = request.sight;
  const writes: string[] = [];
  const hit = reached && nodes.peek(reached.hash)?.entry;
  if (hit !== undefined) hit.expiresAt = Math.max(hit.expiresAt, now + hit.lifetimeMs);
  for (const [{ hash, tokens }, { ms }] of kept) {
    const node = tokens < rules.minTokens ? undefined : nodes.peek(hash);
    if (node === undefined) continue;
    const isThere = tokens <= (reached?.tokens ?? 0);
    const { entry } = node;
    if (entry === undefined || now >= entry.expiresAt) {
      // Also at a mark within what is read, which costs nothing.
      const expiresAt = now + ms;
      node.entry = { lifetimeMs: ms, writtenAt: now, writers: 1, readableAt: Infinity, expiresAt };
      writes.push(hash);
    } else if (isThere) {
      entry.expiresAt = Math.max(entry.expiresAt, now + entry.lifetimeMs);
    } else {
      // Written again, because it cannot be read yet or was not looked at. The shorter life is what can be relied on, and
      // whoever is answered first makes it readable for all.
      entry.lifetimeMs = Math.min(entry.lifetimeMs, ms);
      entry.expiresAt = now + entry.lifetimeMs;
      if (entry.readableAt === Infinity) {
        entry.writers++;
        writes.push(hash);
      }
    }
  }
  return writes;
}
