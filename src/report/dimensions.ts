import { RouterError } from '../errors.ts';
import type { UsageRecord } from '../types.ts';

/**
 * What records can be told apart by. `model` is the one that answered, else the one that was asked for. `day` and `month` are
 * those in which the call came in, in UTC. `reason` is why a prefix was not read from the prompt cache. `tag:feature` is the
 * value of the tag `feature`.
 */
export type Dimension =
  | 'model'
  | 'requestModel'
  | 'provider'
  | 'api'
  | 'tenant'
  | 'user'
  | 'session'
  | 'priority'
  | 'outcome'
  | 'errorCode'
  | 'status'
  | 'reason'
  | 'day'
  | 'month'
  | `tag:${string}`;

/** The values of a row's dimensions; `null` where the records do not say. */
export type GroupKey<D extends Dimension> = { readonly [K in D]: string | null };

export type Reader = (record: UsageRecord) => string | undefined;

const READERS: Readonly<Record<Exclude<Dimension, `tag:${string}`>, Reader>> = {
  model: (record) => record.responseModel ?? record.requestModel,
  requestModel: (record) => record.requestModel,
  provider: (record) => record.provider,
  api: (record) => record.api,
  tenant: (record) => record.context.tenant,
  user: (record) => record.context.user,
  session: (record) => record.context.session,
  priority: (record) => record.context.priority,
  outcome: (record) => record.outcome,
  reason: (record) => record.cache?.miss?.reason,
  errorCode: (record) => record.errorCode,
  status: (record) => record.status?.toString(),
  day: (record) => record.startedAt.slice(0, 10),
  month: (record) => record.startedAt.slice(0, 7),
};

const TAG = 'tag:';

/** How to read each. Throws for one that there is not. */
export function readersOf(by: readonly string[], where: string): Reader[] {
  return by.map((name) => {
    if (name.startsWith(TAG) && name.length > TAG.length) return tagReader(name.slice(TAG.length));
    const reader = Object.entries(READERS).find(([each]) => each === name)?.[1];
    if (reader !== undefined) return reader;
    const expected = [...Object.keys(READERS), 'tag:<name>'].join(', ');
    throw new RouterError('ERR_OPTIONS', `${where}: by must name any of ${expected}, got ${name}`);
  });
}

function tagReader(tag: string): Reader {
  return ({ context: { tags } }) =>
    tags != null && Object.hasOwn(tags, tag) ? tags[tag] : undefined;
}

export const isTime = (dimension: Dimension): boolean =>
  dimension === 'day' || dimension === 'month';
