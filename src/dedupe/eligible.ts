import { bodyMember } from '../body-member.ts';
import type { Call } from '../call.ts';
import { hasHeader } from '../http/read-request.ts';
import type { Api } from '../types.ts';
import { JsonView } from '../util/json-view.ts';
import type { DedupeMode } from './settings.ts';

/**
 * Whether a call may share its answer. Nearly all may not, so what is looked at comes in the order of what it costs.
 *
 * What it wants goes before the router's mode: `off` and `force` are final. Without `force` a request that does more than
 * answer never shares, whatever the mode: two of them are meant to do it twice.
 */
export function isEligible(call: Call, mode: DedupeMode): boolean {
  const { context, endpoint, headers } = call;
  const isForced = context.dedupe === 'force';
  if (context.dedupe === 'off' || (mode === 'off' && !isForced)) return false;
  if (call.json === undefined || endpoint.wire === undefined || call.method !== 'POST')
    return false;
  // Bedrock's Converse format has no name of its own among the APIs.
  if (endpoint.api === 'other' && endpoint.cache?.format === undefined) return false;
  if (isForced || endpoint.api === 'embeddings' || hasHeader(headers, 'idempotency-key'))
    return true;
  return (mode === 'all' || isDeterministic(call)) && !doesMore(call);
}

/** Temperature 0, or a seed: the caller wants the same answer each time, as far as the provider can give it. */
function isDeterministic(call: Call): boolean {
  const within = CONFIG_MEMBERS.get(call.endpoint.api);
  if (within === undefined) {
    return isZero(bodyMember(call, 'temperature')) || isSeed(bodyMember(call, 'seed'));
  }
  const config = bodyMember(call, within);
  if (config === undefined) return false;
  const json = new JsonView(config);
  return isZero(json.raw('temperature')) || isSeed(json.raw('seed'));
}

/** Where the sampling parameters stand, if not at the top; `other` is Bedrock's Converse format here. */
const CONFIG_MEMBERS: ReadonlyMap<Api, string> = new Map([
  ['generateContent', 'generationConfig'],
  ['other', 'inferenceConfig'],
]);

function isZero(number: string | undefined): boolean {
  return number !== undefined && Number(number) === 0;
}

function isSeed(number: string | undefined): boolean {
  return number !== undefined && number !== 'null';
}

/**
 * Members of requests that do more than answer (OpenAI's and Anthropic's API references, read on 2026-11-21): `background`
 * starts a job that its owner may cancel, `conversation` adds the turn to a stored conversation, `container` runs code in a
 * place that lasts, `mcp_servers` and tools of type `mcp` act on somebody else's system. `store` and `previous_response_id`
 * are no reason: any number of turns may follow one stored response.
 */
function doesMore(call: Call): boolean {
  for (const name of call.json?.keys ?? []) {
    if (name === 'tools') {
      const tools = bodyMember(call, name);
      if (tools?.includes('"mcp"') === true && MCP_TOOL.test(tools)) return true;
    } else if (ACTING_MEMBERS.has(name) && !IDLE_VALUES.has(bodyMember(call, name) ?? 'null')) {
      return true;
    }
  }
  return false;
}

const ACTING_MEMBERS: ReadonlySet<string> = new Set([
  'background',
  'conversation',
  'container',
  'mcp_servers',
]);
const IDLE_VALUES: ReadonlySet<string> = new Set(['null', 'false', '[]']);
const MCP_TOOL = /"type"\s*:\s*"mcp"/;
