import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createUsageChunkFilter } from '../../src/answer/usage-chunk-filter.ts';
import { chunkSizes, cut } from './helpers.ts';

const USAGE = '"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}';

/** JSON of frames that exist only for the usage. */
const usageOnly = fc.constantFrom(
  `{"choices":[],${USAGE}}`,
  `{"id":"é","model":"m","choices":[],${USAGE},"obfuscation":"x"}`,
  `{ "id": "1", "choices" : [ ] , "usage" : { "total_tokens" : 3 } }`,
  `{"note":"\\"choices\\":[1]","choices":[],"error":null,${USAGE}}`,
);
const other = fc.constantFrom(
  `{"choices":[{"index":0,"delta":{"content":"Grüße"}}],"usage":null}`,
  `{"choices":[{"index":0,"delta":{}}],${USAGE}}`,
  `{"choices":[],"prompt_filter_results":[{"n":0}]}`,
  `{"choices":[],"usage":null,"prompt_filter_results":[{"n":0}]}`,
  `{"choices":[],"error":{"code":502},${USAGE}}`,
  `{"choices":[],"usage":3}`,
  `{"choices":[],${USAGE}`,
  `{"a":{"choices":[]},${USAGE}}`,
  `{"choices":[{"message":{"content":"\\"choices\\":[],\\"usage\\":{}"}}]}`,
  `{"text":"${'x'.repeat(9000)}","choices":[],${USAGE}}`,
  '{"choices":null}',
  '{"x":[]}',
  '[DONE]',
  '',
);

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const lead = fc.constantFrom(
  '',
  '',
  ': keep-alive\n',
  'event: x\n',
  'id: 7\r\n',
  ': a\r\n\r\n',
  '\n\n',
);
const space = fc.constantFrom('', ' ');
const frame = fc
  .tuple(
    fc.oneof(usageOnly, other),
    lead,
    space,
    lineEnd,
    lineEnd,
    fc.constantFrom('', '\n', '\r\n'),
  )
  .map(([json, before, gap, end, blank, more]) => ({ json, before, gap, end, blank, more }));

interface Frame {
  json: string;
  before: string;
  gap: string;
  end: string;
  blank: string;
  more: string;
}

const isUsageOnly = (json: string): boolean => {
  if (json.length > 8192) return false;
  try {
    const { choices, usage, error } = JSON.parse(json) as Record<string, unknown>;
    const isEmpty = Array.isArray(choices) && choices.length === 0;
    return isEmpty && typeof usage === 'object' && usage !== null && (error ?? null) === null;
  } catch {
    return false;
  }
};

/** The stream, and what must be left of it. */
function streamOf(frames: readonly Frame[]): { whole: string; left: string; removed: number } {
  let whole = '';
  let left = '';
  let removed = 0;
  for (const { json, before, gap, end, blank, more } of frames) {
    // Line ends that belong to no frame, and a comment with an empty line of its own, stay.
    const outside = /^(?:[\r\n]+|: a\r\n\r\n)$/.test(before) ? before : '';
    // After CR, an LF is the same line end's second half.
    const fence = whole.endsWith('\r') ? ':\n\n' : '';
    const rest = end === '\r' && blank === '\n' ? '\r\n' : blank;
    const own = `${before.slice(outside.length)}data:${gap}${json}${end}${rest}`;
    const extra = own.endsWith('\r') ? '' : more;
    const isGone = isUsageOnly(json);
    if (isGone) removed++;
    whole += fence + outside + own + extra;
    left += fence + outside + (isGone ? '' : own) + extra;
  }
  return { whole, left, removed };
}

function filtered(chunks: readonly Uint8Array[]): {
  out: string;
  removed: number;
  maxHeld: number;
} {
  const filter = createUsageChunkFilter();
  const parts: Uint8Array[] = [];
  let given = 0;
  let passed = 0;
  let maxHeld = 0;
  for (const chunk of chunks) {
    given += chunk.length;
    const part = filter.push(chunk);
    passed += part?.length ?? 0;
    if (part !== undefined) parts.push(part);
    if (filter.removed === 0) maxHeld = Math.max(maxHeld, given - passed);
  }
  const rest = filter.end();
  if (rest !== undefined) parts.push(rest);
  return { out: Buffer.concat(parts).toString(), removed: filter.removed, maxHeld };
}

describe('the usage chunk filter', () => {
  it('takes out usage-only frames and nothing else, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), chunkSizes, (frames, sizes) => {
        const { whole, left, removed } = streamOf(frames);
        const result = filtered(cut(Buffer.from(whole), sizes));
        expect(result.out).toBe(left);
        expect(result.removed).toBe(removed);
        const longest = Math.max(
          0,
          ...frames.map(({ json, before }) => json.length + before.length),
        );
        expect(result.maxHeld).toBeLessThanOrEqual(Math.min(longest * 2, 8 * 1024) + 20);
      }),
      { numRuns: 600 },
    );
  });

  it('takes out a last usage-only frame that lacks its empty line', () => {
    const first = 'data: {"choices":[{"index":0}]}\n\n';
    for (const end of ['', '\n', '\r', '\r\n']) {
      for (const size of [1, 5, 1000]) {
        const bytes = Buffer.from(`${first}data: {"choices":[],${USAGE}}${end}`);
        expect(filtered(cut(bytes, [size]))).toMatchObject({ out: first, removed: 1 });
      }
    }
  });

  it('passes an untouched chunk on as the same object', () => {
    const filter = createUsageChunkFilter();
    const whole = Buffer.from('data: {"choices":[{"index":0}],"x":[]}\n\n: ping\n\n');
    const start = Buffer.from('data: {"choices":[{"delta":{"content":"a long');
    const middle = Buffer.from(' text');
    const end = Uint8Array.from(Buffer.from(' indeed"}}]}\n'));
    const last = Uint8Array.of(0x0a);
    for (const chunk of [whole, start, middle, end, last, whole]) {
      expect(filter.push(chunk)).toBe(chunk);
    }
    expect(filter.end()).toBeUndefined();
  });

  it('lets a frame go as soon as it is clear what it is', () => {
    const cases: [pieces: string[], passed: Array<string | undefined>][] = [
      [
        ['data: {"id":1,"choices":[', '{'],
        [undefined, 'data: {"id":1,"choices":[{'],
      ],
      [
        ['data: [', 'DONE]\n\n'],
        ['data: [', 'DONE]\n\n'],
      ],
      [
        ['data: [DONE]\n', `\ndata: {"choices":[],${USAGE}}\n\n`],
        ['data: [DONE]\n', '\n'],
      ],
      [
        ['data: {"choices":null', '}'],
        ['data: {"choices":null', '}'],
      ],
      [
        ['data: {"a":1}\n\ndata: {"ch', 'x":1}\n\n'],
        ['data: {"a":1}\n\n', 'data: {"chx":1}\n\n'],
      ],
      [
        [`data: {"choices":[],${USAGE}}`, '\n', '\n'],
        [undefined, undefined, undefined],
      ],
      [
        [`data: {"choices":[],${USAGE}}\r\r`, '\ndata: 1\n\n'],
        [undefined, 'data: 1\n\n'],
      ],
    ];
    for (const [pieces, passed] of cases) {
      const filter = createUsageChunkFilter();
      const out = pieces.map((piece) => filter.push(Buffer.from(piece)));
      expect(out.map((part) => part && Buffer.from(part).toString())).toEqual(passed);
    }
  });

  it('lets a frame go that grows past the bound', () => {
    const filter = createUsageChunkFilter();
    expect(filter.push(Buffer.from(`data: {"x":"${'a'.repeat(1000)}`))).toBeUndefined();
    expect(filter.push(Buffer.from('a'.repeat(9000)))?.length).toBe(10_012);
  });
});
