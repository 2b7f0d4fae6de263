import {
  canonicalText,
  differingMembers,
  readLeaves,
  withoutCacheMarks,
  withoutPaths,
} from './canonical-body.ts';
import type { Leaves } from './canonical-body.ts';
import { decodeBytes, fixtureBytes } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { exchangeRedaction, isSecretQuery, redactText } from './redact.ts';
import type { Redactor } from './text-edits.ts';
import type { SeenRequest } from './seen-request.ts';

export interface MatchOptions {
  ignore: readonly string[];
  ignoreHost: boolean;
  repeat: 'last' | 'error';
  redact: readonly Redactor[] | false;
}

/** No fixture answers a request. The message names the members that differ, never what they hold. */
export class FixtureMissError extends Error {
  override readonly name = 'FixtureMissError';
  readonly code = 'ERR_FIXTURE_MISS';
}

export interface FixtureMatcher {
  /** The fixture that answers a request. Throws `FixtureMissError`. */
  take(request: SeenRequest): Fixture;
  /** Fixtures with a request that have not answered any; the list changes as they do. */
  readonly unused: readonly Fixture[];
}

/** Recordings of the same request, in order. */
interface Play {
  fixtures: Fixture[];
  next: number;
}

/** The recordings of one method and path. What their bodies say is worked out when the first request comes. */
interface Group {
  entries: Array<{ fixture: Fixture; request: SeenRequest }>;
  shapes: Shape[];
  plays: Map<string, Play>;
}

export function createMatcher(fixtures: readonly Fixture[], options: MatchOptions): FixtureMatcher {
  const groups = new Map<string, Group>();
  const unused: Fixture[] = [];
  for (const fixture of fixtures) {
    if (fixture.request === null) continue;
    const { method, url, headers, ...body } = fixture.request;
    const request = {
      method,
      url,
      headers: new Headers(headers),
      body: body.body === null ? null : fixtureBytes(body),
    };
    const target = targetOf(request, options.redact);
    const group: Group = groups.get(target) ?? { entries: [], shapes: [], plays: new Map() };
    groups.set(target, group);
    group.entries.push({ fixture, request });
    unused.push(fixture);
  }

  const relaxed = (leaves: Leaves): Leaves =>
    withoutPaths(withoutCacheMarks(leaves), options.ignore);

  /** A request that is recorded as it is comes before one that differs in what is ignored. */
  const keysOf = (shape: Shape): [exact: string, relaxed: string] => [
    `exact ${keyOf(shape, options.ignoreHost, (leaves) => leaves)}`,
    `relaxed ${keyOf(shape, options.ignoreHost, relaxed)}`,
  ];

  function readShapes({ entries, shapes, plays }: Group): void {
    for (const { fixture, request } of entries.slice(shapes.length)) {
      const shape = shapeOf(request, options.redact);
      shapes.push(shape);
      for (const key of keysOf(shape)) {
        const play = plays.get(key);
        if (play === undefined) plays.set(key, { fixtures: [fixture], next: 0 });
        else play.fixtures.push(fixture);
      }
    }
  }

  return {
    take(request) {
      const target = targetOf(request, options.redact);
      const group = groups.get(target);
      if (group === undefined) {
        throw new FixtureMissError(
          `no fixture for ${redactText(target)}: none of ${countOf(groups)} has this method and path`,
        );
      }
      readShapes(group);
      const shape = shapeOf(request, options.redact);
      const [exact, relaxed] = keysOf(shape);
      const play = group.plays.get(exact) ?? group.plays.get(relaxed);
      if (play === undefined)
        throw new FixtureMissError(missMessage(target, shape, group.shapes, options));
      const last = play.fixtures.length - 1;
      if (play.next > last && options.repeat === 'error') {
        throw new FixtureMissError(
          `no fixture left for ${redactText(target)}: this request was recorded ${last + 1} times ` +
            'and comes once more (repeat: "last" plays the last one again)',
        );
      }
      const fixture = play.fixtures[Math.min(play.next++, last)]!;
      const waiting = unused.indexOf(fixture);
      if (waiting >= 0) unused.splice(waiting, 1);
      return fixture;
    },
    unused,
  };
}

function countOf(groups: ReadonlyMap<string, Group>): string {
  const count = [...groups.values()].reduce((sum, { entries }) => sum + entries.length, 0);
  return `${count} ${count === 1 ? 'fixture' : 'fixtures'}`;
}

function targetOf({ method, url, headers }: SeenRequest, redact: MatchOptions['redact']): string {
  const { pathname } = new URL(exchangeRedaction({ url, headers }, redact).url(url));
  return `${method.toUpperCase()} ${pathname}`;
}

/** What counts of a request beside its method and path. */
interface Shape {
  host: string;
  query: string;
  /** The body's JSON leaves, or its text when it is something else. */
  body: Leaves | string;
}

function shapeOf(request: SeenRequest, redact: MatchOptions['redact']): Shape {
  // Recordings are stored redacted, so the live request is compared in the same state.
  const redaction = exchangeRedaction(request, redact);
  const url = new URL(redaction.url(request.url));
  const query = [...url.searchParams].filter(([name]) => !isSecretQuery(name));
  const { text } = decodeBytes(redaction.body(request.body ?? new Uint8Array(), []).bytes);
  return {
    host: url.host,
    query: JSON.stringify(query.sort(([a], [b]) => (a < b ? -1 : Number(a > b)))),
    body: readLeaves(text) ?? withoutBoundary(text, request.headers),
  };
}

/** Every multipart body has a random text between its parts. */
function withoutBoundary(text: string, headers: Headers): string {
  const boundary = /boundary="?([^";]+)/i.exec(headers.get('content-type') ?? '')?.[1];
  return boundary === undefined ? text : text.replaceAll(boundary, 'boundary');
}

function keyOf(shape: Shape, ignoreHost: boolean, relax: (leaves: Leaves) => Leaves): string {
  const body = typeof shape.body === 'string' ? shape.body : canonicalText(relax(shape.body));
  return JSON.stringify([ignoreHost ? '' : shape.host, shape.query, typeof shape.body, body]);
}

function missMessage(
  target: string,
  shape: Shape,
  recorded: readonly Shape[],
  { ignore, ignoreHost }: MatchOptions,
): string {
  const differences = recorded.map((other) => {
    const names: string[] = [];
    if (shape.host !== other.host && !ignoreHost) names.push('the host (see ignoreHost)');
    if (shape.query !== other.query) names.push('the query');
    if (typeof shape.body === 'string' || typeof other.body === 'string') {
      if (shape.body !== other.body) names.push('the body, which is not JSON in both');
      return names;
    }
    const members = differingMembers(
      withoutPaths(withoutCacheMarks(shape.body), ignore),
      withoutPaths(withoutCacheMarks(other.body), ignore),
    );
    return [...names, ...members.map(safeName)];
  });
  const [nearest = []] = differences.sort((a, b) => a.length - b.length);
  const shown = nearest.slice(0, MAX_NAMES);
  if (nearest.length > shown.length) shown.push(`${nearest.length - shown.length} more`);
  return (
    `no fixture for ${redactText(target)}: ${recorded.length} of its method and path, ` +
    `the nearest differs in ${shown.join(', ')}. Record it, or list body members to ignore in "ignore"`
  );
}

const MAX_NAMES = 12;

/** Members' names come from the API as a rule, but some objects have names that people chose. */
function safeName(path: string): string {
  const isPlain = /^\w{1,40}(?:\.\w{1,40})?$/.test(path) && redactText(path) === path;
  return isPlain ? path : '(a name withheld)';
}
