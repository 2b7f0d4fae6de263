/** What happened to the input of one call: numbers, kinds and reasons, without a word of its prompt. */
import type { UsageRecord } from 'tokenrouter';
import { picoDollars } from './money.ts';
import type { Observation, Plan } from './replay.ts';

export type Miss = NonNullable<NonNullable<UsageRecord['cache']>['miss']>;
export type MissReason = Miss['reason'];

/** Where the input of a call, or of many, came from. */
export interface Buckets<Amount> {
  /** From the provider's prompt cache. */
  readonly read: Amount;
  /** Paid, and kept for later. */
  readonly written: Amount;
  /** Paid at the plain price, and kept for nobody. */
  readonly paid: Amount;
}

export interface Turn {
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly provider: string;
  readonly model: string;
  readonly tokens: Buckets<number>;
  /** Of the whole input. */
  readonly input: number;
  readonly output: number;
  /** Of the input, in pico-dollars. */
  readonly costs: Buckets<bigint>;
  /** Of the whole call; absent where no price is known. */
  readonly cost?: bigint | undefined;
  readonly autoSaves: bigint;
  /** Input tokens that could have been read and were not. */
  readonly couldRead: number;
  readonly miss?: Miss | undefined;
  /** What the miss cost, in pico-dollars. */
  readonly lost: bigint;
  /** How many blocks of each tier there are. */
  readonly blocks: Readonly<Record<Tier, number>>;
  /** Tokens up to the end of the tools, and up to the end of the system prompt. */
  readonly tierEnds: readonly [tools: number, system: number];
  /** Tokens up to the block that is not as it was; absent where nothing changed. */
  readonly breakAt?: number | undefined;
}

type Tier = Plan['blocks'][number]['tier'];

/** `undefined` where the provider did not say what it was asked. */
export function turnOf(observation: Observation): Turn | undefined {
  const { exchange, record, plan, autoSaves, autoReads } = observation;
  const { inputTokens, outputTokens } = record.usage;
  const { total, cacheRead: read = 0, cacheWrite = 0, cacheWrite1h = 0 } = inputTokens;
  if (total === undefined || total === 0) return undefined;
  const written = cacheWrite + cacheWrite1h;
  const { usd, inputUsd, cacheReadUsd, cacheWriteUsd } = record.cost;
  const pico = (amount: string | null | undefined): bigint => picoDollars(amount ?? '0');
  const miss = record.cache?.miss;
  const places = placesOf(plan, total);
  return {
    sentAt: exchange.sentAt,
    provider: record.provider,
    model: record.responseModel ?? record.requestModel ?? 'unknown model',
    tokens: { read, written, paid: Math.max(0, total - read - written) },
    input: total,
    output: outputTokens.total ?? 0,
    costs: { read: pico(cacheReadUsd), written: pico(cacheWriteUsd), paid: pico(inputUsd) },
    cost: usd === null ? undefined : pico(usd),
    autoSaves,
    couldRead: miss?.lostTokens ?? (read + written === 0 ? Math.min(autoReads, total) : 0),
    miss,
    lost: pico(miss?.lostUsd),
    blocks: {
      tools: places.count('tools'),
      system: places.count('system'),
      messages: places.count('messages'),
    },
    tierEnds: [places.endOf(['tools']), places.endOf(['tools', 'system'])],
    breakAt:
      miss !== undefined && CHANGES.has(miss.reason) ? places.startOf(miss.position) : undefined,
  };
}

/** Reasons that name the first block that is not as it was. */
const CHANGES: ReadonlySet<MissReason> = new Set<MissReason>([
  'model-changed',
  'parameter-changed',
  'tools-changed',
  'tools-reordered',
  'system-changed',
  'history-edited',
]);

/** Places in the prompt, in tokens as the provider counts them: blocks are only estimated. */
function placesOf(plan: Plan | undefined, total: number) {
  const blocks = plan?.blocks ?? [];
  const estimated = blocks.at(-1)?.prefixTokens ?? 0;
  const scaled = (tokens: number): number =>
    estimated === 0 ? 0 : Math.round((tokens / estimated) * total);
  return {
    count: (tier: Tier): number => blocks.filter((block) => block.tier === tier).length,
    endOf: (tiers: readonly Tier[]): number =>
      scaled(blocks.findLast(({ tier }) => tiers.includes(tier))?.prefixTokens ?? 0),
    startOf(position: number | undefined): number | undefined {
      const block = position === undefined ? undefined : blocks[position];
      return block && scaled(block.prefixTokens - block.tokens);
    },
  };
}
