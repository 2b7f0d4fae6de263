import type { UsageRecord } from '../../../src/types.ts';

/** A value that its column could not hold as it is. */
export interface OddValue {
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * What of a record has no column, as JSON under the record's own paths (`details->'context'->'tags'->>'feature'`). The whole
 * record again would cost PostgreSQL more time than all the rest of the row.
 */
export function detailsJson(record: UsageRecord, odd: readonly OddValue[] | undefined): string {
  let details = detailsOf(record);
  for (const { path, value } of odd ?? []) details = withValue(details, path, value);
  return cleanJson(jsonOf(details));
}

function detailsOf(record: UsageRecord): object {
  const { usage, cost, dedupe, cache, context, trace, captured } = record;
  const { inputUsd, cacheReadUsd, cacheWriteUsd, outputUsd } = cost;
  return {
    usage: usage.raw === undefined ? undefined : { raw: usage.raw },
    cost:
      (inputUsd ?? cacheReadUsd ?? cacheWriteUsd ?? outputUsd) === undefined
        ? undefined
        : { inputUsd, cacheReadUsd, cacheWriteUsd, outputUsd },
    dedupe: dedupe?.leaderId === undefined ? undefined : { leaderId: dedupe.leaderId },
    cache: cache && {
      prefix: cache.prefix,
      marks: cache.marks,
      miss: cache.miss && { position: cache.miss.position, difference: cache.miss.difference },
    },
    context: context.tags === undefined ? undefined : { tags: context.tags },
    trace,
    captured,
  };
}

/** A copy with the value at that path. */
function withValue(target: object, [member, ...rest]: readonly string[], value: unknown): object {
  if (member === undefined) return target;
  const inner: unknown = Reflect.get(target, member);
  const innerObject = typeof inner === 'object' && inner !== null ? inner : {};
  return { ...target, [member]: rest.length === 0 ? value : withValue(innerObject, rest, value) };
}

/** What has no JSON form (a cycle, a bigint) costs only the member that it is in. */
function jsonOf(details: object): string {
  try {
    return JSON.stringify(details);
  } catch {
    const members = Object.entries(details).flatMap(([name, value]: [string, unknown]) => {
      try {
        const json = JSON.stringify(value);
        return json === undefined ? [] : [`${JSON.stringify(name)}:${json}`];
      } catch {
        return [];
      }
    });
    return `{${members.join(',')}}`;
  }
}

const UNFIT = /\\u(?:0000|d[89a-f])/;
const ESCAPES = /\\(?:u0000|ud[89a-f][\da-f]{2}|[^])/g;

/** `jsonb` takes neither NUL nor lone surrogates, the only ones that `JSON.stringify` escapes. */
function cleanJson(json: string): string {
  if (!UNFIT.test(json)) return json;
  return json.replace(ESCAPES, (escape) => (escape.length > 2 ? '\ufffd' : escape));
}
