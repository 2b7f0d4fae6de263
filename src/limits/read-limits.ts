import type { HeaderLookup } from '../types.ts';
import type { LimitReading, LimitUnit } from './types.ts';

/** A reading, and which of an account's limits it is about: a unit may be limited more than once. */
export interface NamedReading extends LimitReading {
  /** The same in every answer about the same limit. */
  readonly name: string;
  /** The period that the header names, in milliseconds; `undefined` where it names none. */
  readonly windowMs: number | undefined;
}

/**
 * What the headers of an answer say of limits, one reading for each limit that they know. Nonsense says nothing: a limit
 * below 1, a negative rest (Azure's -1), more left than the limit allows (Together counts by the second, with a burst).
 */
export function readLimits(header: HeaderLookup, wallNowMs: number): readonly NamedReading[] {
  let readings: NamedReading[] | undefined;
  for (const family of FAMILIES) {
    const reading = readFamily(family, header, wallNowMs);
    if (reading !== undefined) (readings ??= []).push(reading);
  }
  return readings ?? NONE;
}

/**
 * Reads the heads of one provider, as `readLimits` does, but looks only for what earlier heads had. Every so often it looks
 * for everything again.
 */
export class LimitReader {
  #families: readonly Family[] = FAMILIES;
  readonly #seen = new Set<Family>();
  #heads = 0;

  read(header: HeaderLookup, wallNowMs: number): readonly NamedReading[] {
    const isThorough = this.#heads < ALL_AT_FIRST || this.#heads % ALL_EVERY === 0;
    this.#heads++;
    const families = isThorough ? FAMILIES : this.#families;
    let readings: NamedReading[] | undefined;
    for (const family of families) {
      const reading = readFamily(family, header, wallNowMs);
      if (reading === undefined) continue;
      if (isThorough) this.#seen.add(family);
      (readings ??= []).push(reading);
    }
    if (isThorough) this.#families = FAMILIES.filter((family) => this.#seen.has(family));
    return readings ?? NONE;
  }
}

function readFamily(
  family: Family,
  header: HeaderLookup,
  wallNowMs: number,
): NamedReading | undefined {
  const remaining = amount(header(family.remaining), 0);
  if (remaining === undefined) return undefined;
  const limit = amount(header(family.limit), 1);
  if (limit === undefined || remaining > limit) return undefined;
  if (family.unless !== undefined && header(family.unless) !== undefined) return undefined;
  const resetText = family.reset === undefined ? undefined : header(family.reset);
  if (resetText === undefined && family.needsReset?.(header) === true) return undefined;
  const renewalMs = family.renewal === undefined ? undefined : seconds(header(family.renewal));
  const reset =
    resetText === undefined
      ? undefined
      : readReset(resetText, header, wallNowMs, renewalMs === undefined ? 1000 : 1);
  return {
    name: family.name,
    unit: family.unit,
    limit,
    remaining,
    resetMs: reset?.ms,
    quantum: family.quantum,
    coarseMs: reset?.coarseMs ?? 0,
    windowMs: renewalMs ?? family.windowMs,
  };
}

/**
 * When a refusal says to come again, in milliseconds from now. `retry-after-ms` is the more exact of the two names; dates
 * count from the answer's own `date`, since clocks differ.
 */
export function readRetryAfter(header: HeaderLookup, wallNowMs: number): number | undefined {
  const exact = amount(header('retry-after-ms'), 0);
  if (exact !== undefined) return exact;
  const text = header('retry-after');
  if (text === undefined) return undefined;
  const relative = seconds(text);
  if (relative !== undefined) return relative;
  const at = DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) return undefined;
  return Math.max(0, at - serverTime(header, wallNowMs));
}

interface Reset {
  readonly ms: number;
  readonly coarseMs: number;
}

/** When a limit is whole again, and how coarsely that is said; `undefined` when it cannot be read. */
function readReset(
  text: string,
  header: HeaderLookup,
  wallNowMs: number,
  plainUnitMs: number,
): Reset | undefined {
  const first = text.charCodeAt(0);
  if (first < ZERO || first > NINE) return undefined;
  const plain = Number(text);
  if (plain < EPOCH_SECONDS)
    return within(plain * plainUnitMs, text.includes('.') ? 1 : plainUnitMs);
  const isDate = Number.isNaN(plain) && text.includes('T');
  if (Number.isNaN(plain) && !isDate) return within(duration(text), 1);
  const at = isDate ? dateOf(text) : plain < EPOCH_MS ? plain * 1000 : plain;
  return within(at - serverTime(header, wallNowMs), 1000);
}

function within(ms: number, coarseMs: number): Reset | undefined {
  return ms <= LONGEST_MS ? { ms: Math.max(0, ms), coarseMs } : undefined;
}

/** `6m0s`, `24m28.8s`, `12ms`: Go's notation. NaN for anything else. */
function duration(text: string): number {
  let ms = 0;
  for (let at = 0; at < text.length;) {
    const start = at;
    while (isPartOfNumber(text.charCodeAt(at))) at++;
    const isMilliseconds = text.startsWith('ms', at);
    const unitMs = isMilliseconds ? 1 : UNIT_MS[text.charAt(at)];
    if (at === start || unitMs === undefined) return Number.NaN;
    ms += Number(text.slice(start, at)) * unitMs;
    at += isMilliseconds ? 2 : 1;
  }
  return ms;
}

function isPartOfNumber(code: number): boolean {
  return (code >= ZERO && code <= NINE) || code === POINT;
}

/** The wall clock of whoever wrote the answer, since clocks differ; ours where it does not say. */
function serverTime(header: HeaderLookup, wallNowMs: number): number {
  const date = header('date');
  const at = date === undefined ? Number.NaN : dateOf(date);
  return Number.isNaN(at) ? wallNowMs : at;
}

/** `Date.parse`, which remembers: heads that come together have the same dates. */
function dateOf(text: string): number {
  let at = dates.get(text);
  if (at === undefined) {
    if (dates.size >= MAX_DATES) dates.clear();
    dates.set(text, (at = Date.parse(text)));
  }
  return at;
}

function seconds(text: string | undefined): number | undefined {
  const value = amount(text, 0);
  return value === undefined ? undefined : value * 1000;
}

function amount(text: string | undefined, least: number): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return value >= least && value <= MAX_AMOUNT ? value : undefined;
}

interface Family {
  readonly name: string;
  readonly unit: LimitUnit;
  readonly limit: string;
  readonly remaining: string;
  readonly reset?: string | undefined;
  /** A header with the length of the period in seconds; with it, a plain reset counts milliseconds. */
  readonly renewal?: string | undefined;
  readonly quantum: number;
  readonly windowMs?: number | undefined;
  /** Whether nobody knows which period is meant where no reset is given. */
  readonly needsReset?: ((header: HeaderLookup) => boolean) | undefined;
  /** Where this header is there too, nothing is to be read here. */
  readonly unless?: string | undefined;
}

/** Anthropic rounds what is left of tokens to thousands: its page on rate limits, 2026-11. */
function anthropic(what: string, unit: LimitUnit, quantum: number, unless?: string): Family {
  const name = `anthropic-ratelimit-${what}`;
  return {
    name,
    unit,
    limit: `${name}-limit`,
    remaining: `${name}-remaining`,
    reset: `${name}-reset`,
    quantum,
    unless,
  };
}

function openai(what: string, unit: LimitUnit, limit = `x-ratelimit-limit-${what}`): Family {
  return {
    name: `x-ratelimit-${what}`,
    unit,
    limit,
    remaining: `x-ratelimit-remaining-${what}`,
    reset: `x-ratelimit-reset-${what}`,
    renewal: `x-ratelimit-renewalperiod-${what}`,
    quantum: 1,
  };
}

function mistral(what: string, unit: LimitUnit, windowMs: number): Family {
  return {
    name: `x-ratelimit-${what}`,
    unit,
    limit: `x-ratelimit-limit-${what}`,
    remaining: `x-ratelimit-remaining-${what}`,
    quantum: 1,
    windowMs,
  };
}

function plain(name: string, unit: LimitUnit): Family {
  return {
    name,
    unit,
    limit: `${name}-limit`,
    remaining: `${name}-remaining`,
    reset: `${name}-reset`,
    quantum: 1,
    needsReset: () => true,
  };
}

/**
 * Seen in recorded answers of 2023 to 2026-08, but for Kimi's (its documentation, 2026-11). Not read: limits of a month, a
 * day or an hour beside shorter ones (Mistral, Hugging Face); images and audio; Anthropic's priority tier, which falls back to
 * the standard one instead of refusing.
 */
const FAMILIES: readonly Family[] = [
  anthropic('requests', 'requests', 1),
  anthropic('input-tokens', 'inputTokens', 1000),
  anthropic('output-tokens', 'outputTokens', 1000),
  // The sum of the two above where they are there too.
  anthropic('tokens', 'tokens', 1000, 'anthropic-ratelimit-input-tokens-limit'),
  // OpenAI, Azure (in milliseconds, with the length of the period), Groq (requests by the day), xAI (without a reset).
  openai('requests', 'requests'),
  // Together has them beside x-ratelimit-limit, by the second and without a reset.
  {
    ...openai('tokens', 'tokens'),
    needsReset: (header) => header('x-ratelimit-limit') !== undefined,
  },
  openai('project-requests', 'requests'),
  openai('project-tokens', 'tokens'),
  // Anthropic's OpenAI-compatible path.
  openai('requests', 'requests', 'x-ratelimit-requests'),
  openai('tokens', 'tokens', 'x-ratelimit-tokens'),
  mistral('req-minute', 'requests', 60_000),
  mistral('req-10-second', 'requests', 10_000),
  mistral('tokens-minute', 'tokens', 60_000),
  // Kimi and many gateways.
  {
    ...plain('x-ratelimit', 'requests'),
    limit: 'x-ratelimit-limit',
    remaining: 'x-ratelimit-remaining',
  },
  // Hugging Face; the names of an expired draft of the IETF. Mistral until 2024.
  plain('ratelimit', 'requests'),
  plain('ratelimitbysize', 'tokens'),
];

const NONE: readonly NamedReading[] = [];
/** Hugging Face says 2^63 for what has no limit. */
const MAX_AMOUNT = 1e15;
/** No limit is renewed more rarely than once a year. */
const LONGEST_MS = 366 * 86_400_000;
/** A plain number so large is a date: seconds or milliseconds since 1970. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;
/** ISO 8601, or the date of HTTP. */
const DATE = /^(?:\d{4}-\d\d-\d\dT|[A-Z][a-z]{2,8},? )/;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const [ZERO, NINE, POINT] = [48, 57, 46];
const dates = new Map<string, number>();
const MAX_DATES = 64;
/** Heads of a provider that are read thoroughly. */
const ALL_AT_FIRST = 8;
const ALL_EVERY = 32;
