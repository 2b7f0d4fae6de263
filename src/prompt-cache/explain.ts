import type { Call } from '../call.ts';
import { usd } from '../util/usd.ts';
import type { Api } from '../types.ts';
import type { PlannedCall } from './cache-keeper.ts';
import { breakEven } from './planner/decide.ts';
import type { MarkReason } from './planner/place-marks.ts';
import { oddsWithin } from './planner/reuse.ts';
import type { BlockKind, Tier, Ttl } from './types.ts';

/** What the router would do with a request, and why. No text of the prompt stands in it. */
export interface Plan {
  /** As in the call's records; that of a call which is not sent stands in none. */
  readonly callId: string;
  readonly provider: string;
  readonly api: Api;
  readonly model?: string | undefined;
  readonly mode: 'auto' | 'observe' | 'off';
  /** Why nothing is planned; absent where something is. */
  readonly note?: string | undefined;
  /** In cache order: tools, system prompt, messages. */
  readonly blocks: readonly PlannedBlock[];
  /** The host's own marks among them, in cache order. */
  readonly marks: readonly PlannedMark[];
  /** Estimates, calibrated with what the provider has reported so far. */
  readonly tokens: {
    readonly total: number;
    readonly expectedRead: number;
    readonly expectedWrite: number;
    readonly expectedWrite1h: number;
  };
  /** What the input is expected to cost, and what it would without any caching; absent where no price is known. */
  readonly cost?: { readonly plannedUsd: string; readonly uncachedUsd: string } | undefined;
  /** The `prompt_cache_key` that is set. */
  readonly key?: string | undefined;
  /** The end of the request is not kept: the provider keeps marked prefixes only. */
  readonly onlyMarks: boolean;
  /** Whether the body that goes out differs from the one that was given. */
  readonly changesBody: boolean;
  /** Another call is writing this prefix: the call would wait for it. */
  readonly waits: boolean;
}

export interface PlannedBlock {
  readonly tier: Tier;
  readonly kind: BlockKind;
  readonly role: string;
  readonly tokens: number;
  /** Tokens of the prefix that ends with it. */
  readonly prefixTokens: number;
  /** Hash of that prefix, where one is taken. */
  readonly prefix?: string | undefined;
}

export interface PlannedMark {
  /** Index in `blocks`. */
  readonly block: number;
  readonly ttl: Ttl;
  readonly by: 'router' | 'host';
  readonly reason?: MarkReason | undefined;
  /** Chance that the prefix is sent again within its lifetime, from what was seen of it and its like. */
  readonly odds?: number | undefined;
  /** Reads of it to be expected before it expires, if each of them comes with these odds. */
  readonly expectedReads?: number | undefined;
  /** Least odds at which keeping it costs no more than paying for it in full each time. */
  readonly breakEvenOdds?: number | undefined;
}

/** The plan of a call in words that a person can read. */
export function explain(call: Call, planned: PlannedCall | undefined, waits: boolean): Plan {
  const { endpoint, model, prompt } = call;
  const base = { callId: call.id, provider: endpoint.provider, api: endpoint.api, model };
  if (planned === undefined || prompt === undefined) {
    return { ...base, mode: 'off', note: noteFor(call), ...NOTHING, changesBody: call.changed };
  }
  const { request, draft, order, edits } = planned;
  const { calibration, fingerprint, hostMarks, rules, prices } = request;
  let sum = 0;
  const blocks = prompt.blocks.map(({ tier, kind, role, tokens }, index): PlannedBlock => {
    sum += tokens * calibration.scale;
    return {
      tier,
      kind,
      role,
      tokens: Math.round(tokens * calibration.scale),
      prefixTokens: Math.round(sum),
      prefix: fingerprint.at(index),
    };
  });
  const own = draft.marks.map(({ block, ttl, reason, candidate }): PlannedMark => {
    const lifetime = rules.lifetimes.find((sold) => sold.ttl === ttl) ?? rules.lifetimes[0];
    const odds = lifetime && oddsWithin(draft.candidates[candidate]?.odds ?? [], lifetime.ms);
    return {
      block,
      ttl,
      by: 'router',
      reason,
      odds: odds && rounded(odds),
      expectedReads: odds && rounded(odds / Math.max(1 - odds, 0.01)),
      breakEvenOdds: lifetime && rounded(breakEven(lifetime, rules.read)),
    };
  });
  const marks = [...own, ...hostMarks.map((mark) => ({ ...mark, by: 'host' as const }))];
  const written = (ttl: '1h' | 'other'): number =>
    draft.expectedWrites
      .filter(([lifetime]) => (lifetime.ttl === '1h') === (ttl === '1h'))
      .reduce((tokens, [, more]) => tokens + more, 0);
  const total = Math.round(sum);
  const units =
    total -
    draft.expectedRead * (1 - rules.read) +
    draft.expectedWrites.reduce((more, [{ write }, tokens]) => more + tokens * (write - 1), 0);
  const money = (tokens: number, pico: number): string => usd(BigInt(Math.round(tokens * pico)));
  return {
    ...base,
    mode: request.mode,
    blocks,
    marks: marks.sort((a, b) => a.block - b.block),
    tokens: {
      total,
      expectedRead: draft.expectedRead,
      expectedWrite: written('other'),
      expectedWrite1h: written('1h'),
    },
    cost: prices && {
      plannedUsd: money(units, prices.inputPico),
      uncachedUsd: money(total, prices.inputPico),
    },
    key: order.key,
    onlyMarks: order.onlyMarks ?? false,
    changesBody: request.mode === 'auto' && (call.changed || edits.length > 0),
    waits,
  };
}

const NOTHING = {
  blocks: [],
  marks: [],
  tokens: { total: 0, expectedRead: 0, expectedWrite: 0, expectedWrite1h: 0 },
  onlyMarks: false,
  waits: false,
} as const;

function noteFor({ endpoint, prompt, model }: Call): string {
  if (endpoint.cache === undefined) return 'Nothing is known of a prompt cache at this endpoint.';
  if (prompt === undefined) {
    return 'The prompt cache is off, the body is signed, or it is no request that can be read.';
  }
  return endpoint.cache.rules(model) === undefined
    ? 'Nothing is known of a prompt cache for this model.'
    : 'The prompt cache is off for this call, or the request has no blocks.';
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
