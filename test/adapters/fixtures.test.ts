import { describe, expect, test } from 'vitest';
import type { Endpoint, TokenUsage } from '../../src/types.ts';
import { assertTokenUsage } from '../../src/testing/adapter-contract.ts';
import {
  matchUrl,
  readAnswer,
  readLines,
  REFERENCE_MISSES,
  recordingFolders,
  recordingsIn,
  urlOf,
} from './recordings.ts';
import type { Expected, Read, Recording } from './recordings.ts';

/** A stream of OpenAI of 2023 with a usage chunk nobody asked for: there was no `stream_options` yet. */
const BEFORE_STREAM_OPTIONS = 'ae8a1ce087e97cf2';

function flat(usage: TokenUsage | undefined): Expected['usage'] {
  const { inputTokens: input = {}, outputTokens: output = {} } = usage ?? {};
  const written = input.cacheWrite ?? input.cacheWrite1h;
  return {
    input_total: input.total ?? null,
    cached_read: input.cacheRead ?? null,
    cache_write: written === undefined ? null : (input.cacheWrite ?? 0) + (input.cacheWrite1h ?? 0),
    cache_write_1h: input.cacheWrite1h ?? null,
    output: output.total ?? null,
    reasoning: output.reasoning ?? null,
  };
}

const NOTHING = flat(undefined);

/** What of an answer was read otherwise than the reference does. */
function differences(recording: Recording, expected: Expected, read: Read): string[] {
  const { facts, usage } = read;
  const found: string[] = [];
  const differs = (what: string, ours: unknown, theirs: unknown): void => {
    found.push(`${what}: ${JSON.stringify(ours)}, expected ${JSON.stringify(theirs)}`);
  };
  if (expected.ambiguous.length === 0) {
    const [ours, theirs] = [flat(usage), expected.usage ?? NOTHING];
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) differs('usage', ours, theirs);
  }
  // The reference does not look for a model in every place that names it.
  if (expected.model !== null && facts.model !== expected.model) {
    differs('model', facts.model, expected.model);
  }
  if (expected.error !== null) {
    const { type, code } = expected.error;
    const theirs = [type, code].map((name) => (name === null ? undefined : String(name)));
    const ours = [facts.error?.type, facts.error?.code];
    if (facts.error === undefined || ours.join() !== theirs.join()) differs('error', ours, theirs);
  } else if (recording.response.status < 400 && facts.error !== undefined) {
    differs('error', facts.error, null);
  }
  if (expected.stream_complete !== null && recording.response.status < 400) {
    const theirs = expected.stream_complete !== 'truncated';
    if ((facts.complete === true) !== theirs) differs('complete', facts.complete, theirs);
  }
  return found;
}

/** Every recording of a folder with the wire that reads it, if any. */
function matched(folder: URL): Array<{ recording: Recording; endpoint: Endpoint | undefined }> {
  return recordingsIn(folder).map((recording) => ({
    recording,
    endpoint: matchUrl(urlOf(recording)),
  }));
}

for (const { name, folder } of recordingFolders) {
  describe.skipIf(folder === undefined)(`the ${name}`, () => {
    const recordings = folder === undefined ? [] : matched(folder);

    test('every answer is read as expected, field by field', () => {
      const expectations = new Map(
        readLines<Expected>(new URL('expected_usage.jsonl', folder)).map((each) => [each.id, each]),
      );
      const found: string[] = [];
      let compared = 0;
      for (const { recording, endpoint } of recordings) {
        const expected = expectations.get(recording.id);
        if (expected === undefined || recording.id in REFERENCE_MISSES) continue;
        if (endpoint?.wire === undefined) {
          if (expected.usage !== null)
            found.push(`${recording.id}: no wire for ${urlOf(recording)}`);
          continue;
        }
        compared++;
        for (const each of differences(recording, expected, readAnswer(endpoint.wire, recording))) {
          found.push(`${recording.id} ${recording.provider} ${recording.api} ${each}`);
        }
      }
      expect(found).toEqual([]);
      expect(compared).toBeGreaterThan(100);
    });

    test('the marks of a wire miss nothing that its events say', () => {
      for (const { recording, endpoint } of recordings) {
        if (endpoint?.wire === undefined) continue;
        const marked = readAnswer(endpoint.wire, recording);
        const whole = readAnswer(endpoint.wire, recording, { marks: false });
        expect(marked, recording.id).toEqual(whole);
      }
    });

    test('buckets are disjoint and add up, also where the provider contradicts itself', () => {
      const usages = recordings.flatMap(({ recording, endpoint }) => {
        const usage = endpoint?.wire && readAnswer(endpoint.wire, recording).usage;
        return usage === undefined ? [] : [usage];
      });
      expect(usages.length).toBeGreaterThan(100);
      expect(() => usages.forEach(assertTokenUsage)).not.toThrow();
    });

    test('every failed answer tells of an error', () => {
      const silent = recordings.filter(({ recording, endpoint }) => {
        if (endpoint?.wire === undefined || recording.response.status < 400) return false;
        return readAnswer(endpoint.wire, recording).facts.error === undefined;
      });
      // A body of just `{"detail": …}` names no error; its status has to do.
      expect(
        silent.filter(({ recording }) => !recording.response.body?.includes('"detail"')),
      ).toEqual([]);
    });

    test('usage is only asked for where it does not come as a chunk of its own anyway', () => {
      const unasked = recordings
        .filter(
          ({ recording, endpoint }) =>
            recording.stream &&
            endpoint?.streamUsage !== undefined &&
            recording.request?.body.includes('include_usage') === false &&
            /"choices":\s*\[\],\s*"usage":\s*\{/.test(recording.response.body ?? ''),
        )
        .map(({ recording }) => recording.id);
      expect(unasked.filter((id) => id !== BEFORE_STREAM_OPTIONS)).toEqual([]);
    });
  });
}
