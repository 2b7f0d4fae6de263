import type { LimitUnit } from '../../../limits/types.ts';
import type { Shortage } from './admission.ts';
import type { Provider } from './limit-rules.ts';
import type { SimulatedRefusal } from './options.ts';
import { goDuration } from './rate-headers.ts';

/** A refusal as its body tells it. */
export interface RefusalFacts {
  readonly reason: SimulatedRefusal;
  readonly status: number;
  readonly model: string;
  readonly requestId: string;
  /** Of a `rate`: the limit that is short for longest. */
  readonly shortage?: Shortage | undefined;
  /** When to come again, where the body may say so. */
  readonly retryMs?: number | undefined;
}

/** A refusal's body in the provider's format. */
export function refusalBody(provider: Provider, facts: RefusalFacts): unknown {
  switch (provider) {
    case 'openai':
      return openaiBody(facts);
    case 'anthropic':
      return anthropicBody(facts);
    case 'deepseek':
      return deepseekBody(facts);
    case 'gemini':
      return geminiBody(facts);
  }
}

/** Names and codes from its error code guide and from issue threads of 2025 and 2026. */
function openaiBody(facts: RefusalFacts): unknown {
  const { model, shortage, retryMs } = facts;
  const error = (message: string, type: string, code: string | null): unknown => ({
    error: { message, type, param: null, code },
  });
  switch (facts.reason) {
    case 'rate': {
      const { limit = 0, requested = 0, remaining = 0, rules } = shortage ?? {};
      const counts = `Limit ${Math.floor(limit)}, Used ${Math.ceil(limit - remaining)}, Requested ${Math.ceil(requested)}.`;
      const again = retryMs === undefined ? '' : ` Please try again in ${goDuration(retryMs)}.`;
      const type = rules === undefined || rules.unit === 'requests' ? 'requests' : 'tokens';
      const per = windowName(rules?.windowMs, 'min');
      const message = `Rate limit reached for ${model} in organization org-simulated on ${type} per ${per}: ${counts}${again}`;
      return error(message, type, 'rate_limit_exceeded');
    }
    case 'concurrency':
      return error(
        `Too many requests at once for ${model}. Please try again later.`,
        'requests',
        'rate_limit_exceeded',
      );
    case 'overload':
      return error(
        'Our servers are currently overloaded. Please try again later.',
        'service_unavailable_error',
        'server_is_overloaded',
      );
    case 'outage':
      return error('The server is not available at the moment.', 'server_error', null);
  }
}

/** Types from its errors page (2026-08), messages as quoted in issue threads of 2025 and 2026. */
function anthropicBody({ reason, model, requestId, shortage }: RefusalFacts): unknown {
  const error = (type: string, message: string): unknown => ({
    type: 'error',
    error: { type, message },
    request_id: requestId,
  });
  switch (reason) {
    case 'rate': {
      const { limit = 0, rules } = shortage ?? {};
      const unit = UNIT_NAMES[rules?.unit ?? 'requests'];
      const per = windowName(rules?.windowMs, 'minute');
      return error(
        'rate_limit_error',
        `This request would exceed your organization's rate limit of ${Math.floor(limit).toLocaleString('en-US')} ${unit} per ${per} (org: simulated, model: ${model}).`,
      );
    }
    case 'concurrency':
      return error(
        'rate_limit_error',
        'Number of concurrent connections has exceeded your rate limit. Please try again later.',
      );
    case 'overload':
      return error('overloaded_error', 'Overloaded');
    case 'outage':
      return error('api_error', 'Service unavailable');
  }
}

/** Its names for these errors are not documented: assumed to be built like those that were recorded. */
function deepseekBody({ reason }: RefusalFacts): unknown {
  const [name, message] =
    reason === 'overload' || reason === 'outage'
      ? ['service_unavailable_error', 'The server is overloaded. Please try again later.']
      : ['rate_limit_error', 'Rate limit reached: too many requests are under way.'];
  return { error: { message, type: name, param: null, code: name } };
}

/** As recorded in 2026 and quoted in issue threads of 2025 and 2026. */
function geminiBody({ reason, status, model, shortage, retryMs }: RefusalFacts): unknown {
  const error = (name: string, message: string, details: readonly unknown[] = []): unknown => ({
    error: { code: status, message, status: name, ...(details.length > 0 && { details }) },
  });
  if (reason === 'overload' || reason === 'outage') {
    return error('UNAVAILABLE', 'The model is overloaded. Please try again later.');
  }
  if (shortage === undefined) {
    return error('RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later.');
  }
  const { limit, rules } = shortage;
  const inWords = rules.windowMs === DAY_MS ? 'PerDay' : 'PerMinute';
  const what = rules.unit === 'requests' ? 'Requests' : 'InputTokens';
  const metric = rules.unit === 'requests' ? 'requests' : 'input_token_count';
  const quotaMetric = `generativelanguage.googleapis.com/generate_content_paid_tier_${metric}`;
  const violation = {
    quotaMetric,
    quotaId: `GenerateContentPaidTier${what}${inWords}PerProjectPerModel`,
    quotaDimensions: { location: 'global', model },
    quotaValue: String(Math.floor(limit)),
  };
  const seconds = retryMs === undefined ? undefined : `${retryMs / 1000}s`;
  const again = seconds === undefined ? '' : `\nPlease retry in ${seconds}.`;
  return error(
    'RESOURCE_EXHAUSTED',
    `You exceeded your current quota.\n* Quota exceeded for metric: ${quotaMetric}, limit: ${Math.floor(limit)}${again}`,
    [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [violation] },
      ...(seconds === undefined
        ? []
        : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: seconds }]),
    ],
  );
}

const UNIT_NAMES: Readonly<Record<LimitUnit, string>> = {
  requests: 'requests',
  tokens: 'tokens',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
};

const DAY_MS = 86_400_000;

function windowName(windowMs = 60_000, minute: string): string {
  if (windowMs === 60_000) return minute;
  if (windowMs === DAY_MS) return 'day';
  return `${windowMs / 1000} s`;
}
