import type { AnswerFacts } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';
import { asArray, asObject, nonEmptyString } from './json-value.ts';

/**
 * What an error says of limits: when to come again, and whether waiting helps at all. Most say it in a header; here is what
 * only the body tells. Texts are looked at and not kept: they may quote the prompt.
 */
export function readErrorLimits(body: JsonView, facts: AnswerFacts): void {
  const error = body.get('error');
  const { message, details, metadata } = asObject(error);
  const text =
    nonEmptyString(message ?? error) ?? body.string('message') ?? body.string('Message') ?? '';
  const google = asArray(details).map(asObject);
  const wait = google.map(retryDelay).find((ms) => ms !== undefined) ?? waitIn(text);
  if (wait !== undefined) facts.retryAfterMs = wait;
  if (
    google.some(saysUsedUp) ||
    asObject(metadata)['limit_source'] === 'openrouter_free_tier_daily' ||
    USED_UP.some((beginning) => beginning.test(text))
  ) {
    facts.hasNoQuota = true;
  }
}

/** `google.rpc.RetryInfo`: a duration in protobuf's JSON form, `"34.4s"` (recorded, 2026). */
function retryDelay(detail: Readonly<Record<string, unknown>>): number | undefined {
  const delay = nonEmptyString(detail['retryDelay']);
  const seconds = delay === undefined ? undefined : /^(\d+(?:\.\d+)?)s$/.exec(delay)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/**
 * `google.rpc.QuotaFailure`: a quota of 0 is none, and that of a day comes back at midnight, whatever `RetryInfo` says beside
 * it (as Google's own CLI reads it, 2026-09).
 */
function saysUsedUp(detail: Readonly<Record<string, unknown>>): boolean {
  return asArray(detail['violations'])
    .map(asObject)
    .some(
      ({ quotaValue, quotaId }) =>
        quotaValue === '0' ||
        quotaValue === 0 ||
        /PerDay|Daily/.test(nonEmptyString(quotaId) ?? ''),
    );
}

/**
 * How the messages begin that say of a quota, for which there is no code, that it is used up or none. Only beginnings: further
 * on, a message may quote what the user wrote. As quoted in public reports, 2025-09 to 2026-09.
 */
const USED_UP: readonly RegExp[] = [
  /^you have reached your (?:specified )?(?:workspace )?api usage limits/i, // Anthropic, status 400
  /^too many tokens per day/i, // Bedrock
  /^you are using a trial key, which is limited to [\d,]+ api calls \/ month/i, // Cohere
  /^you exceeded your current quota\b[^]*?\blimit: 0\b/i, // Gemini
  /^you(?:'ve| have| \(\S+\) have) reached your (?:session|hourly|daily|weekly|monthly) usage limit/i, // Ollama
  /^rate limit exceeded: free-models-per-day/i, // OpenRouter
  /^your team \S+ has either used all available credits/i, // xAI, status 403 or 429
];

/**
 * `Please try again in 1m9.696s` (OpenAI, Groq), `Please retry in 36.4s` (Gemini), `Please retry after 12 seconds` (Azure). As
 * quoted in public reports, 2024 to 2026.
 */
const WAIT =
  /\b(?:retry|try again) (?:in|after) ((?:\d{1,9}(?:\.\d{1,9})? ?(?:ms|seconds?|minutes?|hours?|days?|[hms])(?![a-z]) ?){1,4})/i;
const PART = /([\d.]+) ?(ms|[a-z])/gi;
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

function waitIn(text: string): number | undefined {
  const said = WAIT.exec(text)?.[1];
  if (said === undefined) return undefined;
  let ms = 0;
  for (const [, amount, unit = ''] of said.matchAll(PART)) {
    ms += Number(amount) * (UNIT_MS.get(unit.toLowerCase()) ?? 0);
  }
  return ms;
}
