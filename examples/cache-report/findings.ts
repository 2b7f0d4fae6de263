/** Where does the money go, and what is to be done about it? */
import type { Conversation } from './conversations.ts';
import { groupsOf, sumsOf, total } from './sums.ts';
import type { Miss, MissReason, Turn } from './turns.ts';

/** One thing that can be changed. */
export interface Finding {
  /** `not-kept`: nothing was read, because nothing was asked to be kept. */
  readonly reason: MissReason | 'not-kept';
  readonly what: string;
  readonly help: string;
  readonly calls: number;
  /** Input tokens that would have been read. */
  readonly tokens: number;
  /** What it cost, in pico-dollars. */
  readonly lost: bigint;
  /** Numbers of the conversations, from 1. */
  readonly conversations: readonly number[];
}

/** Most money first, then most tokens. */
export function findingsIn(conversations: readonly Conversation[]): Finding[] {
  return [...missed(conversations), ...notKept(conversations)].toSorted(
    (a, b) => Number(b.lost - a.lost) || b.tokens - a.tokens,
  );
}

/** Nothing of it was read or written, though reading would have paid. */
export function isNotKept({ turns }: Conversation): boolean {
  const { tokens, autoSaves, misses } = sumsOf(turns);
  return tokens.read + tokens.written === 0 && misses === 0 && autoSaves > 0n;
}

interface Missed {
  readonly miss: Miss;
  readonly turn: Turn;
  readonly conversation: number;
}

function missed(conversations: readonly Conversation[]): Finding[] {
  const misses = conversations.flatMap(({ turns }, index) =>
    turns.flatMap((turn): Missed[] =>
      turn.miss === undefined ? [] : [{ miss: turn.miss, turn, conversation: index + 1 }],
    ),
  );
  const groups = groupsOf(misses, ({ miss }) => `${miss.reason} ${miss.difference?.class}`);
  return groups.flatMap((same): Finding | never[] => {
    const [first] = same;
    if (first === undefined) return [];
    const { reason, difference } = first.miss;
    const { what, help } = ADVICE[reason];
    const place =
      difference &&
      `The first difference is ${CLASSES[difference.class]}, at byte ${difference.byte}.`;
    return {
      reason,
      what: [what, place].filter(Boolean).join(' '),
      help,
      calls: same.length,
      tokens: same.reduce((sum, { turn }) => sum + turn.couldRead, 0),
      lost: total(same.map(({ turn }) => turn.lost)),
      conversations: [...new Set(same.map(({ conversation }) => conversation))],
    };
  });
}

function notKept(conversations: readonly Conversation[]): Finding[] {
  const found = conversations.flatMap((conversation, index) =>
    isNotKept(conversation) ? [{ ...sumsOf(conversation.turns), number: index + 1 }] : [],
  );
  if (found.length === 0) return [];
  return [
    {
      reason: 'not-kept',
      ...ADVICE['not-kept'],
      calls: found.reduce((sum, { calls }) => sum + calls, 0),
      tokens: found.reduce((sum, { couldRead }) => sum + couldRead, 0),
      lost: total(found.map(({ autoSaves }) => autoSaves)),
      conversations: found.map(({ number }) => number),
    },
  ];
}

const CLASSES = {
  timestamp: 'a time or date',
  uuid: 'a random id',
  counter: 'a number that counts',
  other: 'other text',
} as const;

const ADVICE: Readonly<Record<Finding['reason'], Pick<Finding, 'what' | 'help'>>> = {
  'tools-changed': {
    what: 'A tool came, went or reads differently than in the call before.',
    help: 'Send all tools every time and restrict them with tool_choice. Keep values of the moment out of their descriptions.',
  },
  'tools-reordered': {
    what: 'The same tools came in another order than in the call before.',
    help: "Send them in one order. In mode 'auto' the router does.",
  },
  'system-changed': {
    what: 'The system prompt differs from that of the call before.',
    help: 'Keep it the same: what changes belongs at its end or, better, into the last user message.',
  },
  'history-edited': {
    what: 'A message that was sent before was rewritten or dropped.',
    help: 'Only append. If a conversation must be shortened, do it rarely and by a lot.',
  },
  expired: {
    what: 'The pause before the call was longer than the prefix was kept.',
    help: "Ask for a longer lifetime where such pauses are common. In mode 'auto' the router chooses it by the pauses that it sees.",
  },
  'too-short': {
    what: 'The prefix is shorter than what this model keeps.',
    help: 'Nothing needs to be done. Where many calls begin alike, one longer beginning may be cheaper.',
  },
  lookback: {
    what: 'The prefix was still kept, but no mark of the call was near enough to find it.',
    help: "Set a mark where the call before ended. In mode 'auto' the router does.",
  },
  'not-yet-readable': {
    what: 'Another call was still writing the same prefix.',
    help: "Let one call go first, and the others when its answer begins. In mode 'auto' the router holds them back.",
  },
  'model-changed': {
    what: 'The conversation went on with another model, and each model keeps its own.',
    help: 'Change models between conversations, not within one.',
  },
  'parameter-changed': {
    what: 'A setting changed that counts as a part of the prompt: thinking, response format, the cache key and the like.',
    help: 'Keep it the same for the whole conversation.',
  },
  evicted: {
    what: 'The provider gave the prefix up, or another of its machines answered.',
    help: 'Nothing on your side. If it is frequent with OpenAI, spread the calls over more cache keys.',
  },
  'not-kept': {
    what: 'Calls that begin alike paid in full each time: they carry no marks, so nothing was kept.',
    help: "Mark what comes again (cache_control). In mode 'auto' the router does, where it pays.",
  },
};
