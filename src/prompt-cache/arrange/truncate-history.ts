import { isSystem } from './system-first.ts';

/** What truncation must know of one message (an input item, a Gemini content). */
export interface HistoryMessage {
  /** As sent; the empty string where an item has none. */
  readonly role: string;
  /** Estimate from its text alone: a calibration that changes would move the cut. */
  readonly tokens: number;
  /** Ids of the tool calls in it. Where a dialect has none (Gemini), the function's name. */
  readonly toolCallIds: readonly string[];
  /** Ids of the calls whose results it carries, likewise. */
  readonly toolResultIds: readonly string[];
  /** It opens a turn: a message of the user that carries no tool result. */
  readonly isTurnStart: boolean;
}

export interface HistoryShape {
  /** Tokens of everything that is not a message: tools, top-level system. */
  readonly fixedTokens: number;
  readonly messages: readonly HistoryMessage[];
}

export interface TruncateOptions {
  /** Estimated tokens of the whole request, from which on history is dropped. */
  readonly maxInputTokens: number;
  /** Turns at the end that always stay, the one that waits for its answer included. Default 2, at least 1. */
  readonly keepLastTurns?: number | undefined;
}

export interface Truncation {
  /** Indexes of the messages to leave out, from the first up to, not with, the second. */
  readonly drop: readonly [from: number, to: number] | undefined;
}

/**
 * Drops whole turns from the front, behind the leading system messages, once a request passes `maxInputTokens`.
 *
 * In steps: when history outgrows the room that tools and system leave it, it is cut down to half of that room, and the
 * same messages stay out until the room is full again. Between two steps the prefix only grows, so it is read from the
 * provider's cache; each step writes half a room anew and then lasts for half a room of new messages, so every token is
 * written twice instead of once. Keeping two thirds would write it three times, nine tenths ten times, and one turn less
 * per turn (a sliding window) the whole history with every request; keeping less than half saves little and forgets more.
 *
 * Nothing is remembered: the steps are those that the same rule would have taken after each message from the first on, so
 * every process that sees the conversation cuts at the same place. Where `fixedTokens` changes the cut may move, but then
 * tools or system have changed in front of it and the cached prefix is lost with them.
 *
 * A cut stands only before a `isTurnStart` (the history that is left begins with a user message, as Anthropic and Gemini
 * want it), never between a call and its result, and never among the last `keepLastTurns` turns. If these rules leave no cut
 * that is deep enough, the deepest is taken; one turn that is too long by itself stays whole.
 * A result belongs to the latest call before it with its id that has none yet, or to the latest where all have one.
 */
export function truncateHistory(shape: HistoryShape, options: TruncateOptions): Truncation {
  const { messages } = shape;
  const head = leadingSystem(messages);
  const room = options.maxInputTokens - shape.fixedTokens - sumTokens(messages.slice(0, head));
  const history = messages.slice(head);
  if (!(sumTokens(history) > room)) return { drop: undefined };

  const keep = Math.max(1, options.keepLastTurns ?? 2);
  const cut = lastCut(history, room, keep);
  return { drop: cut === 0 ? undefined : [head, head + cut] };
}

/** How much of the room history takes up after a cut; the price of other shares is told above. */
const SHARE_KEPT = 1 / 2;

/** Index of the first message that stays, after all cuts that the conversation has seen. */
function lastCut(history: readonly HistoryMessage[], room: number, keep: number): number {
  const places = cutPlaces(history);
  let next = 0;
  let turns = 0;
  let tokens = 0;
  let cut: CutPlace = { index: 0, turn: 0, tokens: 0 };
  for (const message of history) {
    tokens += message.tokens;
    if (startsTurn(message)) turns++;
    if (tokens - cut.tokens <= room) continue;
    for (let place = places[next]; place !== undefined; place = places[next]) {
      if (place.turn > turns - keep) break;
      cut = place;
      next++;
      if (tokens - cut.tokens <= room * SHARE_KEPT) break;
    }
  }
  return cut.index;
}

function leadingSystem(messages: readonly HistoryMessage[]): number {
  const end = messages.findIndex(({ role }) => !isSystem(role));
  return end < 0 ? messages.length : end;
}

function sumTokens(messages: readonly HistoryMessage[]): number {
  return messages.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** A legal one. */
interface CutPlace {
  readonly index: number;
  /** Number of turns in front of it. */
  readonly turn: number;
  /** Tokens in front of it. */
  readonly tokens: number;
}

function cutPlaces(history: readonly HistoryMessage[]): CutPlace[] {
  const isParted = partedPairs(history);
  const places: CutPlace[] = [];
  let turn = 0;
  let tokens = 0;
  for (const [index, message] of history.entries()) {
    if (startsTurn(message)) {
      if (isParted[index] !== true) places.push({ index, turn, tokens });
      turn++;
    }
    tokens += message.tokens;
  }
  return places;
}

function startsTurn({ isTurnStart, toolResultIds }: HistoryMessage): boolean {
  return isTurnStart && toolResultIds.length === 0;
}

/** For each index, whether a cut in front of that message would part a result from its call. */
function partedPairs(history: readonly HistoryMessage[]): boolean[] {
  const calls = new Map<string, Calls>();
  /** How many more pairs are parted at an index than at the one before. */
  const change = Array.from(history, () => 0);
  const add = (index: number, by: number): void => {
    if (index < change.length) change[index] = (change[index] ?? 0) + by;
  };
  for (const [index, { toolCallIds, toolResultIds }] of history.entries()) {
    for (const id of toolResultIds) {
      const known = calls.get(id);
      const call = known?.open.pop() ?? known?.latest;
      if (call === undefined) continue;
      add(call + 1, 1);
      add(index + 1, -1);
    }
    for (const id of toolCallIds) {
      const open = calls.get(id)?.open ?? [];
      open.push(index);
      calls.set(id, { open, latest: index });
    }
  }
  let parted = 0;
  return change.map((by) => (parted += by) > 0);
}

/** Indexes of the messages with calls of one id. */
interface Calls {
  /** Those without a result yet. */
  readonly open: number[];
  readonly latest: number;
}
