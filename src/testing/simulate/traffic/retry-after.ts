import type { Provider } from './limit-rules.ts';
import type { TrafficOptions } from './options.ts';

type RetryAfter = NonNullable<TrafficOptions['retryAfter']>;

/** How a refusal says when to come again. */
export interface RetryAdvice {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds, where the body may say so; `undefined` when it must not. */
  readonly bodyMs: number | undefined;
}

/**
 * OpenAI: what its SDK reads (openai-node, 2026-10). Anthropic: its rate limits page, 2026-08. Gemini says it in the body
 * (recorded in 2026), DeepSeek nowhere (its rate limit page, 2026-08).
 */
const OWN: Readonly<Record<Provider, RetryAfter | 'body'>> = {
  openai: 'both',
  anthropic: 'seconds',
  gemini: 'body',
  deepseek: 'none',
};

/** `waitMs`: until the request would fit. `wallNow`: milliseconds since 1970. */
export function retryAdvice(
  given: RetryAfter | undefined,
  provider: Provider,
  waitMs: number,
  wallNow: number,
): RetryAdvice {
  const how = given ?? OWN[provider];
  if (how === 'none') return { headers: {}, bodyMs: undefined };
  if (typeof how === 'number') return { headers: afterSeconds(how), bodyMs: how * 1000 };
  const bodyMs = Math.max(1, Math.ceil(waitMs));
  const seconds = Math.ceil(bodyMs / 1000);
  switch (how) {
    case 'body':
      return { headers: {}, bodyMs };
    case 'seconds':
      return { headers: afterSeconds(seconds), bodyMs };
    case 'ms':
      return { headers: afterMs(bodyMs), bodyMs };
    case 'both':
      return { headers: { ...afterSeconds(seconds), ...afterMs(bodyMs) }, bodyMs };
    case 'date': {
      // A date has whole seconds: rounded up, so that whoever comes then is let in.
      const date = new Date(Math.ceil((wallNow + bodyMs) / 1000) * 1000);
      return { headers: { 'retry-after': date.toUTCString() }, bodyMs };
    }
  }
}

export function afterSeconds(seconds: number): Readonly<Record<string, string>> {
  return { 'retry-after': String(seconds) };
}

function afterMs(milliseconds: number): Readonly<Record<string, string>> {
  return { 'retry-after-ms': String(milliseconds) };
}
