/** The planner in a loop with a simulated provider: what it plans is sent, and it is told when the answer begins. */
import { Planner, type PlanDraft } from '../../../src/prompt-cache/planner/planner.ts';
import type { HostMark } from '../../../src/prompt-cache/planner/place-marks.ts';
import type { Position, Sight } from '../../../src/prompt-cache/planner/sight.ts';
import type { CacheRules, Tier, Ttl } from '../../../src/prompt-cache/types.ts';
import {
  anthropicCache,
  type CacheResult,
  type CacheSimulator,
} from '../../../src/testing/simulate/cache/index.ts';
import { MARKS } from './rules.ts';

export interface Piece {
  /** Equal for equal blocks. */
  readonly id: string;
  readonly tokens: number;
  readonly tier: Tier;
  /** The last block of a request. */
  readonly endsTurn?: boolean;
  /** Whether it takes a mark. Default: it does. */
  readonly takesMark?: boolean;
  readonly mark?: Ttl;
}

export interface Sent {
  /** Seconds. */
  readonly at: number;
  readonly blocks: readonly Piece[];
  /** When a request is held back, the later turns of its conversation come as much later. Default: it stands alone. */
  readonly conversation?: number;
}

export interface Played {
  readonly sent: Sent;
  readonly draft: PlanDraft;
  readonly result: CacheResult;
  /** In plain input tokens. */
  readonly cost: number;
}

export interface PlayOptions {
  rules?: CacheRules;
  cache?: CacheSimulator;
  planner?: Planner;
  /** Whether requests wait for one that is writing their prefix. Default: they do. */
  waits?: boolean;
  /** What each request would be planned as is asked for first. Default: no. */
  dryRuns?: boolean;
}

/** Seconds until an answer begins. */
export const FIRST_BYTE = 1;

/** Less is not worth a wait. */
const LEAST_WAITED_FOR = 1024;

const inOrder = (requests: readonly Sent[]): Sent[] => [...requests].sort((a, b) => a.at - b.at);

function laterTurn(turn: Sent, held: Sent, heldFor: number): Sent {
  const follows = held.conversation !== undefined && turn.conversation === held.conversation;
  return follows ? { ...turn, at: turn.at + heldFor } : turn;
}

export function play(requests: readonly Sent[], options: PlayOptions = {}): Played[] {
  const { rules = MARKS, planner = new Planner({ maxPrefixes: 10_000 }), waits = true } = options;
  const { cache = anthropicCache({ minTokens: rules.minTokens }) } = options;
  const played: Played[] = [];
  const answers: Array<{ at: number; draft: PlanDraft }> = [];
  let queue = inOrder(requests);
  for (let sent = queue.shift(); sent !== undefined; sent = queue.shift()) {
    const { at } = sent;
    while (answers[0] !== undefined && answers[0].at <= at) {
      const answer = answers.shift();
      if (answer !== undefined) planner.answered(answer.draft, answer.at * 1000);
    }
    const sight = sightOf(sent, rules);
    const wanted = waits ? planner.pendingOf(sight) : undefined;
    const next = answers[0]?.at;
    if (wanted !== undefined && wanted.tokens >= LEAST_WAITED_FOR && next !== undefined) {
      queue = inOrder([
        ...queue.map((other) => laterTurn(other, sent, next - at)),
        { ...sent, at: next },
      ]);
      continue;
    }
    if (options.dryRuns === true) planner.plan(sight, { dryRun: true });
    const draft = planner.plan(sight);
    const marks = new Map(draft.marks.map(({ block, ttl }) => [block, ttl]));
    const result = cache.process({
      at,
      salts: { tools: '', system: '', messages: '' },
      readableAfter: FIRST_BYTE,
      blocks: sent.blocks.map(({ id, tokens, tier, takesMark = true, mark }, i) => ({
        id,
        tokens,
        tier,
        cacheable: takesMark,
        mark: mark ?? marks.get(i),
      })),
    });
    played.push({ sent, draft, result, cost: costOf(result, rules) });
    answers.push({ at: at + FIRST_BYTE, draft });
  }
  return played;
}

/** A request as the planner is shown it, with hashes where a fingerprint has them, and at the first block of each turn. */
export function sightOf({ at, blocks }: Sent, rules: CacheRules = MARKS): Sight {
  const first = blocks.findIndex(({ tier }) => tier === 'messages');
  const ends = blocks.flatMap(({ endsTurn = false }, i) => (endsTurn ? [i] : []));
  const recent = new Set(ends.filter((_, i) => i >= ends.length - 16 || i % 8 === 0));
  const lastTool = blocks.findLastIndex(({ tier }) => tier === 'tools');
  const positions: Position[] = [];
  const hostMarks: HostMark[] = [];
  let tokens = 0;
  let prefix = '';
  for (const [block, piece] of blocks.entries()) {
    tokens += piece.tokens;
    prefix += `${piece.tier} ${piece.id}\n`;
    if (piece.mark !== undefined) hostMarks.push({ block, ttl: piece.mark });
    const isSeen =
      piece.tier === 'tools'
        ? block === lastTool
        : piece.tier === 'system' ||
          block < first + 8 ||
          block >= blocks.length - 8 ||
          recent.has(block) ||
          recent.has(block - 1);
    if (isSeen) positions.push({ block, hash: prefix, tokens, tier: piece.tier });
  }
  return {
    now: at * 1000,
    rules,
    positions,
    hostMarks,
    shape: `${lastTool >= 0}`,
    canMark: (index) => blocks[index]?.takesMark !== false && blocks[index]?.mark === undefined,
  };
}

function costOf({ uncached, read, write5m, write1h }: CacheResult, rules: CacheRules): number {
  const priceOf = (ttl: Ttl): number =>
    rules.lifetimes.find((lifetime) => lifetime.ttl === ttl)?.write ?? 0;
  return uncached + read * rules.read + write5m * priceOf('5m') + write1h * priceOf('1h');
}

/** One block. */
export const piece = (tier: Tier, id: string, tokens: number): Piece => ({ tier, id, tokens });

/** A turn: some blocks of the assistant and the user, of which the last ends it. */
export function turn(id: string, sizes: readonly number[]): Piece[] {
  return sizes.map((tokens, i) => ({
    ...piece('messages', `${id}.${i}`, tokens),
    endsTurn: i === sizes.length - 1,
  }));
}

export const total = ({ blocks }: Sent): number =>
  blocks.reduce((sum, { tokens }) => sum + tokens, 0);

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
