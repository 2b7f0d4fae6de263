import type { RouterErrorCode } from '../errors.ts';
import type { Api } from '../types.ts';

export interface Refusal {
  readonly code: RouterErrorCode;
  readonly status: number;
  readonly message: string;
}

/**
 * What the router itself refuses, as an answer in the format of the API that was called, so that SDKs raise their own
 * typed errors. `x-should-retry: false` keeps them from asking again (openai 7.55 and @anthropic-ai/sdk 1.11 obey it,
 * tried on 2026-11-20).
 */
export function refuse(
  api: Api,
  refusal: Refusal,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(bodyFor(api, refusal), {
    status: refusal.status,
    headers: { ...headers, 'x-tokenrouter-error': refusal.code, 'x-should-retry': 'false' },
  });
}

function bodyFor(api: Api, { code, status, message }: Refusal): unknown {
  switch (api) {
    case 'messages':
      return {
        type: 'error',
        error: { type: ANTHROPIC_TYPES.get(status) ?? 'api_error', message: `${code}: ${message}` },
      };
    case 'generateContent':
      return {
        error: {
          code: status,
          message: `${code}: ${message}`,
          status: GOOGLE_STATUSES.get(status) ?? 'UNAVAILABLE',
        },
      };
    default:
      return { error: { message, type: 'router_error', param: null, code } };
  }
}

/** As the providers name such refusals of their own (their API references, read on 2026-11-21). */
const ANTHROPIC_TYPES: ReadonlyMap<number, string> = new Map([
  [403, 'permission_error'],
  [429, 'rate_limit_error'],
]);
const GOOGLE_STATUSES: ReadonlyMap<number, string> = new Map([
  [403, 'PERMISSION_DENIED'],
  [429, 'RESOURCE_EXHAUSTED'],
]);
