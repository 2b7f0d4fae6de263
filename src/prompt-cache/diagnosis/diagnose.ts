import type { CacheRules, MissReason, Prompt } from '../types.ts';
import type { Difference } from './head-change.ts';
import { promptChange, type Compared, type Predecessor } from './prompt-change.ts';

/** An entry at the provider, as far as it can be known from here. */
export interface KnownEntry {
  /** Index in `Prompt.blocks` of this request, which begins with the same prefix. */
  readonly position: number;
  /** Of the prefix. */
  readonly tokens: number;
  /** `tokens` was counted here. Without: the provider reported it when it was written or read. */
  readonly isEstimate?: boolean | undefined;
  /** Milliseconds; `Infinity` while the request that writes it has no answer yet. */
  readonly readableAt: number;
  /** Milliseconds. */
  readonly expiresAt: number;
}

/** Tokens as the provider reported them; `undefined` where it did not. */
export interface ReportedInput {
  readonly read: number | undefined;
  /** Of all lifetimes. */
  readonly write: number | undefined;
  readonly uncached: number | undefined;
}

export interface MissEvidence extends Compared {
  /** The earlier request that this one should have continued, where the prefix hash led to none. */
  readonly earlier: Predecessor | undefined;
  /** The deepest prefix of this very request that an earlier one asked to be kept, whatever became of it. */
  readonly known: KnownEntry | undefined;
  /** Blocks that carry a mark in this request, the host's included. */
  readonly marks: readonly number[];
  /** Milliseconds, by the clock of the entries. */
  readonly sentAt: number;
  readonly rules: CacheRules;
  readonly reported: ReportedInput;
}

/** Why a prefix was not read, without a word of it. */
export interface Diagnosis {
  readonly reason: MissReason;
  /** Index of a block in cache order: the first that is not as it was, else the last of the prefix that was not read. */
  readonly position: number;
  /** Index in the body's array of messages. */
  readonly message?: number | undefined;
  readonly difference?: Difference | undefined;
  /** Input tokens that would have been read. */
  readonly lostTokens: number;
}

/**
 * Why a request did not read what it could have; `undefined` when it did, when there was nothing to read, or when the
 * provider does not say what it read.
 *
 * A reason is only named when without it there would have been something to read, and the first that holds is named:
 *
 * 1. A prompt or parameter that changed, earliest in cache order first. Nothing behind it can be read however old, long or
 *    well marked it is, and it is what the caller can mend. Not where the prefix is too short to be kept or older than the
 *    longest lifetime on sale: then the change has cost nothing.
 * 2. `too-short`: such a prefix is never kept, so its age does not matter.
 * 3. `not-yet-readable`, then `expired`: there was no entry at that moment, so no mark could have reached it.
 * 4. `lookback`: the entry was there, and no mark of the request looked at it.
 * 5. `evicted`: nothing of the above. The provider gave it up, or sent the request to a machine that did not have it.
 */
export function diagnose(evidence: MissEvidence): Diagnosis | undefined {
  return ofChange(evidence) ?? ofEntry(evidence);
}

function ofChange(evidence: MissEvidence): Diagnosis | undefined {
  const { earlier, known, prompt, rules, sentAt, reported } = evidence;
  if (earlier === undefined || reported.read === undefined) return undefined;
  if (sentAt - earlier.seenAt >= longestLifetime(rules)) return undefined;
  const change = promptChange(earlier, evidence);
  if (change === undefined || change.position >= change.reach) return undefined;
  const { reach, ...what } = change;
  const tokens = tokensUpTo(prompt, reach) * calibration(prompt, reported);
  if (tokens < rules.minTokens || tokens <= (known?.tokens ?? 0)) return undefined;
  // Counted in the provider's own tokens, by what it reports of this very request.
  const lostTokens = lost(tokens, false, evidence);
  return lostTokens === undefined ? undefined : { ...what, lostTokens };
}

function ofEntry(evidence: MissEvidence): Diagnosis | undefined {
  const { known } = evidence;
  if (known === undefined) return undefined;
  const lostTokens = lost(known.tokens, known.isEstimate === true, evidence);
  if (lostTokens === undefined) return undefined;
  return { reason: entryReason(known, evidence), position: known.position, lostTokens };
}

function entryReason(known: KnownEntry, evidence: MissEvidence): MissReason {
  const { sentAt } = evidence;
  if (isTooShort(known, evidence)) return 'too-short';
  if (sentAt < known.readableAt) return 'not-yet-readable';
  if (sentAt >= known.expiresAt - EXPIRY_MARGIN_MS) return 'expired';
  return isInReach(known.position, evidence) ? 'evicted' : 'lookback';
}

/** A provider that counts fewer tokens than were estimated shows it: asked to keep the prefix, it neither reads nor writes. */
function isTooShort({ tokens }: KnownEntry, { rules, reported }: MissEvidence): boolean {
  if (tokens < rules.minTokens) return true;
  const keptNothing = rules.writes !== 'prefix' && reported.read === 0 && reported.write === 0;
  return keptNothing && tokens < rules.minTokens * DOUBTFUL_MINIMUM;
}

/** Whether the provider looked at the position. */
function isInReach(position: number, { prompt, marks, rules }: MissEvidence): boolean {
  if (rules.writes === 'prefix') return true;
  if (rules.writes === 'marks') {
    return marks.some((mark) => mark >= position && mark - position < rules.lookback);
  }
  // OpenAI from GPT-5.6: marks, the end of the initial developer messages, and the last so many ends of messages.
  const block = prompt.blocks[position];
  if (block === undefined || marks.includes(position)) return block !== undefined;
  if (block.tier !== 'messages') return prompt.blocks[position + 1]?.tier === 'messages';
  const later = prompt.blocks.slice(position + 1).filter(({ endsTurn }) => endsTurn);
  return block.endsTurn && later.length < rules.lookback;
}

/** `undefined` when too little was lost to be anything but a rounding or an estimate that is off. */
function lost(
  expected: number,
  isEstimate: boolean,
  { reported, rules }: MissEvidence,
): number | undefined {
  const { read } = reported;
  if (read === undefined) return undefined;
  // A request that is shorter than the prefix could not have read more than itself.
  const total = totalOf(reported);
  const possible = total === 0 ? expected : Math.min(expected, total);
  const share = isEstimate ? ESTIMATE_TOLERANCE : TOLERANCE;
  const step = rules.writes === 'prefix' && read > 0 ? LONGEST_STEP : ROUNDING;
  const missing = Math.round(possible - read);
  return missing > Math.max(step, possible * share) ? missing : undefined;
}

/** What the provider counted for a token of ours, over the whole request. */
function calibration(prompt: Prompt, reported: ReportedInput): number {
  const estimate = tokensUpTo(prompt, prompt.blocks.length);
  const total = totalOf(reported);
  return estimate > 0 && total > 0 ? total / estimate : 1;
}

function tokensUpTo({ blocks }: Prompt, end: number): number {
  let tokens = 0;
  for (const block of blocks.slice(0, end)) tokens += block.tokens;
  return tokens;
}

function totalOf({ read, write, uncached }: ReportedInput): number {
  return (read ?? 0) + (write ?? 0) + (uncached ?? 0);
}

function longestLifetime({ lifetimes }: CacheRules): number {
  return Math.max(...lifetimes.map(({ ms }) => ms));
}

/** Of what was expected, where the provider itself has counted it before. */
const TOLERANCE = 0.05;

/** Bytes per token differ that much between code, prose and JSON within one prompt. */
const ESTIMATE_TOLERANCE = 0.2;

/** OpenAI reports reads in steps of 128 tokens (OpenAI prompt caching guide, 2026-10-02). */
const ROUNDING = 128;

/** The longest steps in which a prefix is kept unasked: every 2048 tokens for gpt-5.5 (OpenAI prompt caching guide, 2026-10-02). */
const LONGEST_STEP = 2048;

/** An estimate of half as many tokens again as the minimum may still be below it. */
const DOUBTFUL_MINIMUM = 1.5;

/** The provider's clock starts and stops by when requests reach it. */
const EXPIRY_MARGIN_MS = 2000;
