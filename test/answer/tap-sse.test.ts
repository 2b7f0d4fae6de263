import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { frameEnd } from '../../src/answer/sse-frames.ts';
import { createAnswerTap } from '../../src/answer/tap.ts';
import { chunkSizes, cut, foldSizes, tapped, tellingWire } from './helpers.ts';

const MARKS = ['"usage":{', '[DONE]', '"error"', 'Grüße'];

const UNTERMINATED: ReadonlyMap<string, string[][]> = new Map([
  ['format-data-before-final-empty-line.any.js', [['message', 'test2']]],
]);

const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', '"', ':', ' ', 'é', '\ufeff', '😀', '\0'), maxLength: 8 }),
  fc.constantFrom(...MARKS, 'x"usage":{"n":1}', '"usage":', '[DONE', 'ge":{'),
);
// Raw JSON lines are told on top of what the parser tells; they have a test of their own.
const field = fc
  .tuple(
    fc.constantFrom('data: ', 'data:', 'event: ', 'id:', 'retry: ', ': ', 'other: ', 'data', ''),
    text,
  )
  .map(([name, value]) => `${name}${value.replace(/[\r\n]/g, '')}`)
  .filter((line) => !/^[{[]/.test(line));
const frame = fc
  .tuple(fc.array(field, { maxLength: 4 }), lineEnd, lineEnd)
  .map(([lines, end, blank]) => lines.map((line) => line + end).join('') + blank);
const stream = fc
  .tuple(fc.constantFrom('', '\ufeff', '\ufeff\ufeff'), fc.array(frame, { maxLength: 12 }), field)
  .map(([mark, frames, rest]) => mark + frames.join('') + rest)
  // Otherwise the answer is taken for a JSON document or for an AWS event stream, as it should be.
  .filter((all) => !/^\ufeff?[ \t\r\n]*[{[\0]/.test(all));

interface Event {
  name: string;
  data: string;
}

/** What eventsource-parser reads from a whole stream, the unterminated last event included. */
function parsed(whole: string): Event[] {
  const events: Event[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => events.push({ name: event ?? '', data }),
  });
  parser.feed(`${whole}\n\n`);
  return events;
}

/** The first event, and those whose frame holds a mark. */
function expected(whole: string, marks: readonly string[]): Event[] {
  const body = whole.replace(/^\ufeff/, '');
  const found: Event[] = [];
  for (let at = 0; at < body.length;) {
    const end = frameEnd(body, at);
    const raw = body.slice(at, end < 0 ? body.length : end);
    const isRead = found.length === 0 || marks.some((mark) => raw.includes(mark));
    // A line in front, so that the parser does not take a mark inside the stream for the stream's own.
    if (isRead) found.push(...parsed(`\n${raw}`));
    at += raw.length;
  }
  return found;
}

function read(
  whole: string,
  sizes: readonly number[],
  foldBytes: number,
  marks: readonly string[],
) {
  const chunks = cut(Buffer.from(whole), sizes);
  return tapped(chunks, marks, { contentType: 'text/event-stream', limits: { foldBytes } }).events;
}

describe('the tap on a server-sent event stream', () => {
  it('tells every event when there are no marks, however the bytes are cut', () => {
    fc.assert(
      fc.property(stream, chunkSizes, foldSizes, (whole, sizes, foldBytes) => {
        expect(read(whole, sizes, foldBytes, [])).toEqual(parsed(whole));
      }),
      { numRuns: 1000 },
    );
  });

  it('tells the first event and those that hold a mark, however the bytes are cut', () => {
    fc.assert(
      fc.property(stream, chunkSizes, foldSizes, (whole, sizes, foldBytes) => {
        expect(read(whole, sizes, foldBytes, MARKS)).toEqual(expected(whole, MARKS));
      }),
      { numRuns: 1000 },
    );
  });

  it('finds marks in long streams, where needles are chosen from a sample', () => {
    const word = fc.constantFrom(
      ...MARKS,
      '"usage":null',
      'the',
      'finish',
      'usage',
      '"',
      'error',
      'é',
    );
    const long = fc
      .array(fc.array(word, { minLength: 5, maxLength: 40 }), { minLength: 60, maxLength: 90 })
      .map((frames) => frames.map((words) => `data: ${words.join(' ')}\n\n`).join(''));
    const marks = ['"usage":{', '"usage":null é', 'error"', '[DONE] [DONE]', 'Grüße the'];
    fc.assert(
      fc.property(long, (whole) => {
        expect(read(whole, [1000], 20_000, marks)).toEqual(expected(whole, marks));
      }),
      { numRuns: 60 },
    );
  });

  it('agrees with the web platform tests', () => {
    const lines = readFileSync(
      new URL('../fixtures/vectors/sse-wpt.jsonl', import.meta.url),
      'utf8',
    );
    const vectors = lines.trim().split('\n');
    expect(vectors.length).toBe(15);
    for (const line of vectors) {
      const vector = JSON.parse(line) as { id: string; stream: string; expect: [string, string][] };
      for (const size of [1, 2, 3, 1000]) {
        const events = read(vector.stream, [size], size, []);
        const named = events.map(({ name, data }) => [name === '' ? 'message' : name, data]);
        // A browser drops an event that lacks its empty line; the tap reads it, since some servers never send it.
        const unterminated = UNTERMINATED.get(vector.id) ?? [];
        expect([vector.id, named]).toEqual([vector.id, [...vector.expect, ...unterminated]]);
      }
    }
  });

  it('tells raw JSON that stands between the events', () => {
    const error = '{\r\n  "error": {\r\n    "code": 503\r\n  }\r\n}';
    const whole = `data: {"a":"é"}\r\n\r\n${error}\r\n\r\ndata: {"b":1}\r\n\r\n[{"error":{"code":1}},{"n":2}]\n`;
    for (const size of [1, 5, 1000]) {
      for (const marks of [[], ['"error"']]) {
        expect(read(whole, [size], size, marks)).toEqual([
          { name: '', data: '{"a":"é"}' },
          { name: '', data: error },
          ...(marks.length === 0 ? [{ name: '', data: '{"b":1}' }] : []),
          { name: '', data: '{"error":{"code":1}}' },
          { name: '', data: '{"n":2}' },
        ]);
      }
    }
  });

  it('reads both ends of a frame that is too long to keep', () => {
    const answer = { id: 'r1', output: [{ text: 'long '.repeat(2000) }], usage: { total: 3 } };
    const data = JSON.stringify({ type: 'done', response: answer, n: 9 });
    const whole = `data: {"first":1}\n\nevent: done\ndata: ${data}\n\ndata: {"after":"usage"}\n\n`;
    const limits = { maxFrameBytes: 1000, keepBytes: 300 };
    for (const [size, foldBytes] of [
      [1, 1],
      [90, 64],
      [5000, 64],
      [100_000, 1],
    ] as const) {
      const { events } = tapped(cut(Buffer.from(whole), [size]), ['"usage"'], {
        contentType: 'text/event-stream',
        limits: { ...limits, foldBytes },
      });
      expect(events.map(({ name }) => name)).toEqual(['', 'done', '']);
      expect(JSON.parse(events[1]?.data ?? '')).toEqual({
        type: 'done',
        response: { id: 'r1', output: [{}], usage: { total: 3 } },
        n: 9,
      });
    }
  });

  it('takes no more memory for a long stream than for a short one', () => {
    const tap = createAnswerTap({ wire: tellingWire([]).wire, contentType: undefined });
    const chunk = Buffer.from(`data: {"text":"${'x'.repeat(1000)}"}\n\n`);
    for (let i = 0; i < 20_000; i++) tap.push(chunk);
    const { text, share } = tap.outputText();
    expect(tap.bytes).toBe(20_000 * chunk.length);
    expect(text.length / tap.bytes).toBeCloseTo(share, 2);
    expect(text.length).toBeGreaterThan(64_000);
    expect(text.length).toBeLessThan(192_000);
  });
});
