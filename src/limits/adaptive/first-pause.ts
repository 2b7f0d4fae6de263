import { clamp } from './foreign-use.ts';
import type { LimitKind } from './limit-kind.ts';

/** No provider has room again sooner than a round trip; without a word of the provider a test costs less than a long wait. */
const LEAST_MS = 300;
const MOST_MS = 12_000;
/** A sliding minute gives the next request back then, but hardly ever at once: a little later is as good. */
const SLIDE_MARGIN_MS = 60;
/** Requests' times that a pause lasts at most: the limit may be of another kind than thought. */
const MOST_TOKENS = 6;
/** Of a fixed window, the share of the usual recovery after which a test is worth its refusal. */
const SHARE_OF_USUAL = 0.7;
const FIRST_USUAL_TOKENS = 1.5;

export interface PauseFacts {
  readonly retryAfterMs: number | undefined;
  readonly kind: LimitKind['kind'];
  /** The time between two requests at the limit believed in. */
  readonly tokenMs: number;
  /** After so long the oldest request of the last minute is a minute old. */
  readonly slideMs: number;
  /** How long recoveries take where windows are fixed, in requests' times; `undefined` before the first. */
  readonly usualTokens: number | undefined;
}

/** How long nothing goes after a refusal, in milliseconds: as long as the provider said, or until there may be room again. */
export function firstPauseMs({ retryAfterMs, ...facts }: PauseFacts): number {
  return retryAfterMs ?? clamp(guessMs(facts), LEAST_MS, MOST_MS);
}

function guessMs({
  kind,
  tokenMs,
  slideMs,
  usualTokens,
}: Omit<PauseFacts, 'retryAfterMs'>): number {
  switch (kind) {
    case 'smooth':
      return tokenMs;
    case 'sliding':
      return Math.max(tokenMs, Math.min(slideMs + SLIDE_MARGIN_MS, MOST_TOKENS * tokenMs));
    case 'fixed':
      return tokenMs * clamp(SHARE_OF_USUAL * (usualTokens ?? FIRST_USUAL_TOKENS), 1, MOST_TOKENS);
  }
}
