import type { LimitUnit } from '../../../limits/types.ts';
import type { Provider } from './limit-rules.ts';
import type { SharedMeter } from './shared-meter.ts';
import type { TrafficOptions } from './options.ts';

export type HeaderFamily = Exclude<TrafficOptions['headers'], 'own' | undefined>;

/** What there is to say of one limit. */
interface Reading {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/** What the providers really send (recorded answers, 2023 to 2026). */
const OWN: Readonly<Record<Provider, HeaderFamily>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  deepseek: 'none',
  gemini: 'none',
};

export function headerFamily(given: TrafficOptions['headers'], provider: Provider): HeaderFamily {
  return given === undefined || given === 'own' ? OWN[provider] : given;
}

/** Rate limit headers as they stand. `wallNow`: milliseconds since 1970, at the same moment as `now`. */
export function rateHeaders(
  family: HeaderFamily,
  meters: readonly SharedMeter[],
  now: number,
  wallNow: number,
): Readonly<Record<string, string>> {
  if (family === 'none' || meters.length === 0) return {};
  const tightest = (...units: readonly LimitUnit[]): Reading | undefined =>
    readingOf(
      meters.filter(({ rules }) => units.includes(rules.unit)),
      now,
    );
  switch (family) {
    case 'openai':
      return {
        ...openaiHeaders('requests', tightest('requests')),
        ...openaiHeaders('tokens', tightest('tokens', 'inputTokens', 'outputTokens')),
      };
    case 'anthropic': {
      const input = roundedReading(tightest('inputTokens'));
      const output = roundedReading(tightest('outputTokens'));
      const tokens = roundedReading(tightest('tokens')) ?? sumOf(input, output);
      return {
        ...anthropicHeaders('requests', tightest('requests'), wallNow),
        ...anthropicHeaders('tokens', tokens, wallNow),
        ...anthropicHeaders('input-tokens', input, wallNow),
        ...anthropicHeaders('output-tokens', output, wallNow),
      };
    }
    case 'epoch':
      return epochHeaders(tightest('requests'), wallNow);
  }
}

/** Of several limits on the same the one is told that is nearest to its end (Anthropic's rate limits page, 2026-08). */
function readingOf(meters: readonly SharedMeter[], now: number): Reading | undefined {
  const readings = meters.map((shared) => {
    const meter = shared.at(now);
    return {
      limit: meter.limit(now),
      remaining: meter.remaining(now),
      resetMs: meter.resetMs(now),
    };
  });
  const shareOf = ({ remaining, limit }: Reading): number => remaining / limit;
  return readings.reduce<Reading | undefined>(
    (least, each) => (least !== undefined && shareOf(least) <= shareOf(each) ? least : each),
    undefined,
  );
}

function openaiHeaders(
  name: string,
  reading: Reading | undefined,
): Readonly<Record<string, string>> {
  if (reading === undefined) return {};
  return {
    [`x-ratelimit-limit-${name}`]: whole(reading.limit),
    [`x-ratelimit-remaining-${name}`]: whole(reading.remaining),
    [`x-ratelimit-reset-${name}`]: goDuration(reading.resetMs),
  };
}

function anthropicHeaders(
  name: string,
  reading: Reading | undefined,
  wallNow: number,
): Readonly<Record<string, string>> {
  if (reading === undefined) return {};
  const resetAt = new Date(nextSecond(wallNow + reading.resetMs) * 1000);
  return {
    [`anthropic-ratelimit-${name}-limit`]: whole(reading.limit),
    [`anthropic-ratelimit-${name}-remaining`]: whole(reading.remaining),
    [`anthropic-ratelimit-${name}-reset`]: resetAt.toISOString().replace('.000Z', 'Z'),
  };
}

/** Anthropic tells tokens in thousands (rate limits page, 2026-08). */
function roundedReading(reading: Reading | undefined): Reading | undefined {
  if (reading === undefined) return undefined;
  return { ...reading, remaining: Math.round(reading.remaining / 1000) * 1000 };
}

/** Where there is no limit on all tokens, Anthropic tells the sum of both (recorded answers, 2025 and 2026). */
function sumOf(input: Reading | undefined, output: Reading | undefined): Reading | undefined {
  if (input === undefined || output === undefined) return undefined;
  return {
    limit: input.limit + output.limit,
    remaining: input.remaining + output.remaining,
    resetMs: Math.max(input.resetMs, output.resetMs),
  };
}

function epochHeaders(
  reading: Reading | undefined,
  wallNow: number,
): Readonly<Record<string, string>> {
  if (reading === undefined) return {};
  return {
    'x-ratelimit-limit': whole(reading.limit),
    'x-ratelimit-remaining': whole(reading.remaining),
    'x-ratelimit-reset': String(nextSecond(wallNow + reading.resetMs)),
  };
}

/** What is left is not told before it is there: fractions do not count, but for those of inexact sums. */
function whole(amount: number): string {
  return String(Math.floor(amount + 1e-6));
}

/** Seconds since 1970, rounded up but for what inexact sums add. */
function nextSecond(wallMs: number): number {
  return Math.ceil((wallMs - 1e-3) / 1000);
}

/** As Go prints durations, in whole milliseconds, rounded up: `0s`, `12ms`, `1.5s`, `6m0s`, `1h0m30s`. */
export function goDuration(milliseconds: number): string {
  const ms = Math.ceil(milliseconds - 1e-6);
  if (ms <= 0) return '0s';
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  const seconds = (ms % 60_000) / 1000;
  if (hours > 0) return `${hours}h${minutes % 60}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
