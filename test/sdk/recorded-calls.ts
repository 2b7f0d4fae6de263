import { pathToFileURL } from 'node:url';
import { recordingsIn, urlOf, type Recording } from '../adapters/recordings.ts';
import { fullFixturesDir } from '../helpers/full-fixtures.ts';

/** A recorded request as an SDK would make it again. */
export interface RecordedCall {
  readonly recording: Recording;
  /** Origin and path up to where the SDK's own path begins. */
  readonly baseURL: string;
  /** The rest of the path, with its slash. */
  readonly path: string;
  readonly query: Record<string, string>;
  readonly method: string;
  /** The parsed request body; a small one where the request was not kept. */
  readonly body: Record<string, unknown>;
}

/** The full collection where it stands beside the repository, else the repository's own part of it. */
const recordings: readonly Recording[] = recordingsIn(
  new URL(
    fullFixturesDir() === undefined ? '../fixtures/' : `${pathToFileURL(fullFixturesDir()!)}/`,
    import.meta.url,
  ),
);

/** The recorded calls whose path ends in one of `paths` and whose body is JSON. */
export function recordedCalls(
  choose: (recording: Recording) => boolean,
  paths: RegExp,
): readonly RecordedCall[] {
  return recordings.filter(choose).flatMap((recording) => {
    const url = new URL(urlOf(recording));
    const path = paths.exec(url.pathname)?.[0];
    const body = bodyOf(recording);
    if (path === undefined || body === undefined) return [];
    const baseURL = url.origin + url.pathname.slice(0, -path.length);
    const query = Object.fromEntries(url.searchParams);
    return [{ recording, baseURL, path, query, method: recording.request?.method ?? 'POST', body }];
  });
}

function bodyOf({ request, stream }: Recording): Record<string, unknown> | undefined {
  const text = request?.body ?? '';
  if (text === '') {
    const asksForUsage = stream ? { stream_options: { include_usage: true } } : {};
    return { model: 'not-kept', messages: [], input: '', max_tokens: 10, stream, ...asksForUsage };
  }
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? { ...body } : undefined;
  } catch {
    return undefined;
  }
}

/** Splits by provider and kind, so that a failure says where to look. */
export function grouped(
  calls: readonly RecordedCall[],
): ReadonlyArray<readonly [name: string, calls: readonly RecordedCall[]]> {
  const groups = new Map<string, RecordedCall[]>();
  for (const call of calls) {
    const { provider, api, stream } = call.recording;
    const name = `${provider} ${api}${stream ? ' stream' : ''}`;
    groups.set(name, [...(groups.get(name) ?? []), call]);
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** At most `count` of them, spread evenly over the whole. */
export function sampled(calls: readonly RecordedCall[], count: number): readonly RecordedCall[] {
  const step = Math.max(1, calls.length / count);
  return calls.filter(
    (_call, index) => Math.floor(index / step) !== Math.floor((index - 1) / step),
  );
}

/** At most `count` of each group. */
export function sampledByGroup(
  calls: readonly RecordedCall[],
  count: number,
): readonly RecordedCall[] {
  return grouped(calls).flatMap(([, group]) => sampled(group, count));
}
