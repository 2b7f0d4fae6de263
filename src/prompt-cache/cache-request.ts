import type { Call } from '../call.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import type { RelativePrices } from '../pricing/relative.ts';
import type { Calibration } from './calibration.ts';
import type { HostMark } from './planner/place-marks.ts';
import type { Position, Sight } from './planner/sight.ts';
import { wishOf, type PromptCacheMode, type PromptCacheSettings } from './settings.ts';
import type {
  CacheRules,
  Fingerprint,
  HostMode,
  Lifetime,
  Prompt,
  PromptCaching,
  Ttl,
} from './types.ts';

/** A call as the prompt cache sees it: everything that is known before anything is decided. */
export interface CacheRequest {
  readonly mode: Exclude<PromptCacheMode, 'off'>;
  readonly prompt: Prompt;
  readonly fingerprint: Fingerprint;
  readonly caching: PromptCaching;
  /** With the lifetimes that the user allows. */
  readonly rules: CacheRules;
  /** All lifetimes on sale, which the host may use. */
  readonly sold: readonly Lifetime[];
  readonly prices: RelativePrices | undefined;
  readonly host: HostMode;
  readonly hostMarks: readonly HostMark[];
  /** Of the account, host and model. */
  readonly scope: string;
  readonly calibration: Calibration;
  /** Tokens of the whole prompt as estimated here, before calibration. */
  readonly estimated: number;
  readonly positions: readonly Position[];
  readonly shape: string;
  /** The tools stand in another order than in the body that the host gave. */
  readonly isReordered: boolean;
  /** A long retention that costs nothing was asked for by the user. */
  readonly wantsLong: boolean;
}

export interface CacheRequestOptions {
  readonly settings: PromptCacheSettings;
  readonly scopeOf: (call: Call) => string;
  readonly calibrationOf: (scope: string) => Calibration;
  readonly prices: PriceBook;
}

/** `undefined` where nothing is known of the provider's cache, or nothing is wanted of it. */
export function cacheRequest(
  { settings, scopeOf, calibrationOf, prices }: CacheRequestOptions,
  call: Call,
): CacheRequest | undefined {
  const { prompt, fingerprint, endpoint, model } = call;
  const caching = endpoint.cache;
  const { mode, ttl } = wishOf(settings, call.context);
  if (mode === 'off' || caching === undefined || prompt === undefined) return undefined;
  if (fingerprint === undefined || fingerprint.positions.length === 0) return undefined;
  const known = caching.rules(model);
  if (known === undefined) return undefined;

  const { provider } = endpoint;
  const relative =
    model === undefined ? undefined : prices.relative({ provider, model, at: call.startedEpochMs });
  const priced = withPrices(known, relative);
  const scope = scopeOf(call);
  const calibration = calibrationOf(scope);
  const host = caching.hostMode(prompt);
  const { positions, hostMarks, estimated } = look(prompt, fingerprint, scope, calibration.scale);
  if (host.automatic !== undefined) {
    hostMarks.push({ block: prompt.blocks.length - 1, ttl: host.automatic });
  }
  return {
    mode,
    prompt,
    fingerprint,
    caching,
    rules: only(priced, ttl),
    sold: priced.lifetimes,
    prices: relative,
    host,
    hostMarks,
    scope,
    calibration,
    estimated,
    positions,
    shape: shapeOf(prompt),
    isReordered: call.draft !== undefined && call.draft.arrangement.tools !== call.draft.body.tools,
    wantsLong: ttl === '1h',
  };
}

/** The request as it stands at this moment. */
export function sightOf(request: CacheRequest, now: number): Sight {
  const { rules, positions, hostMarks, shape, prompt, caching, host, calibration } = request;
  const isFree = host.handsOff !== true && !calibration.isStandingDown(now);
  return {
    now,
    rules,
    positions,
    hostMarks,
    shape,
    canMark: (index) => {
      const block = prompt.blocks[index];
      return isFree && block !== undefined && caching.canMark(prompt, block);
    },
  };
}

interface Look {
  readonly positions: Position[];
  readonly hostMarks: HostMark[];
  readonly estimated: number;
}

function look(prompt: Prompt, fingerprint: Fingerprint, scope: string, scale: number): Look {
  const positions: Position[] = [];
  const hostMarks: HostMark[] = [];
  let estimated = 0;
  let next = 0;
  for (const [block, { tokens, tier, mark }] of prompt.blocks.entries()) {
    estimated += tokens;
    if (mark !== undefined) hostMarks.push({ block, ttl: mark });
    if (fingerprint.positions[next] !== block) continue;
    next++;
    const hash = fingerprint.at(block);
    if (hash !== undefined) {
      positions.push({ block, hash: scope + hash, tokens: Math.round(estimated * scale), tier });
    }
  }
  return { positions, hostMarks, estimated };
}

/** The price list knows the model; the rules know the provider. */
function withPrices(rules: CacheRules, prices: RelativePrices | undefined): CacheRules {
  const priced = (lifetime: Lifetime): Lifetime => {
    const write = lifetime.ttl === '1h' ? prices?.write1h : prices?.write;
    return write === undefined || write < 1 ? lifetime : { ...lifetime, write };
  };
  return {
    ...rules,
    read: prices?.read ?? rules.read,
    lifetimes: rules.writes === 'prefix' ? rules.lifetimes : rules.lifetimes.map(priced),
  };
}

/** A wish for a lifetime leaves no other, where it is sold. */
function only(rules: CacheRules, wished: 'auto' | Ttl): CacheRules {
  const lifetimes = rules.lifetimes.filter(({ ttl }) => ttl === wished);
  return lifetimes.length === 0 ? rules : { ...rules, lifetimes };
}

/** What requests of one kind have in common, without their content. */
function shapeOf({ blocks }: Prompt): string {
  const first = blocks[0]?.tier === 'tools' ? 'tools' : '';
  return `${first} ${blocks.at(-1)?.kind ?? ''}`;
}
