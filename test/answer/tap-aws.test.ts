import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { chunkSizes, cut, foldSizes, tapped } from './helpers.ts';

const TYPE = 'application/vnd.amazon.eventstream';

function header(name: string, type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.of(type), value]);
}

function stringHeader(name: string, value: string): Buffer {
  const bytes = Buffer.from(value);
  return header(name, 7, Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]));
}

function frame(headers: readonly Uint8Array[], payload: string): Buffer {
  const head = Buffer.concat(headers);
  const body = Buffer.from(payload);
  const bytes = Buffer.alloc(16 + head.length + body.length);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(head.length, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  head.copy(bytes, 12);
  body.copy(bytes, 12 + head.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** Headers of every type that has a fixed length, and one of bytes. */
const OTHER_HEADERS = [
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
  [8, 8],
  [9, 16],
].map(([type = 0, length]) => header(`h${type}`, type, Buffer.alloc(length ?? 0, 0xff)));
OTHER_HEADERS.push(header('b', 6, Buffer.of(0, 2, 1, 2)));

const message = fc.record({
  kind: fc.constantFrom(':event-type', ':exception-type', ':error-code'),
  name: fc.constantFrom('chunk', 'metadata', 'throttlingException'),
  value: fc.record({ text: fc.string({ unit: 'grapheme' }), usage: fc.option(fc.nat()) }),
  wrapped: fc.boolean(),
  others: fc.subarray(OTHER_HEADERS),
});

describe('the tap on an AWS event stream', () => {
  it('tells the first event, failures, and events that hold a mark, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        chunkSizes,
        foldSizes,
        (all, sizes, foldBytes) => {
          const events = all.map(({ kind, name, value, wrapped, others }) => {
            const data = JSON.stringify(value);
            const inner = JSON.stringify({ bytes: Buffer.from(data).toString('base64'), p: 'abc' });
            const bytes = frame([...others, stringHeader(kind, name)], wrapped ? inner : data);
            const isRead = kind !== ':event-type' || name === 'metadata' || value.usage === 7;
            return { bytes, isRead, name, data };
          });
          const stream = Buffer.concat(events.map(({ bytes }) => bytes));
          const told = tapped(cut(stream, sizes), ['"usage":7}', 'metadata'], {
            contentType: TYPE,
            limits: { foldBytes },
          });
          const read = events.filter(({ isRead }, i) => i === 0 || isRead);
          expect(told.events).toEqual(read.map(({ name, data }) => ({ name, data })));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('reads recorded streams', () => {
    const lines = readFileSync(
      new URL('../fixtures/interactions/bedrock.jsonl', import.meta.url),
      'utf8',
    );
    let streams = 0;
    for (const line of lines.trim().split('\n')) {
      const { response } = JSON.parse(line) as {
        response: { body: string; body_encoding?: string };
      };
      if (response.body_encoding !== 'base64') continue;
      const bytes = Buffer.from(response.body, 'base64');
      if (bytes[0] !== 0) continue;
      streams++;
      // Some recordings have lost their headers.
      for (const contentType of [TYPE, undefined]) {
        const whole = tapped([bytes], [], { contentType });
        expect(whole.events.length).toBeGreaterThan(0);
        for (const { data } of whole.events) expect(JSON.parse(data)).toBeTypeOf('object');
        const cutUp = tapped(cut(bytes, [13]), [], { contentType, limits: { foldBytes: 100 } });
        expect(cutUp.events).toEqual(whole.events);
      }
    }
    expect(streams).toBeGreaterThan(2);
  });

  it('skips a frame that is too long and reads on', () => {
    const limits = { maxFrameBytes: 1000, keepBytes: 100, foldBytes: 50 };
    const long = frame([stringHeader(':event-type', 'long')], `{"a":"${'x'.repeat(5000)}"}`);
    const next = frame([stringHeader(':event-type', 'next')], '{"b":1}');
    for (const size of [1, 70, 6000]) {
      const chunks = cut(Buffer.concat([next, long, next]), [size]);
      const { events } = tapped(chunks, [], { contentType: TYPE, limits });
      expect(events.map(({ name }) => name)).toEqual(['next', 'next']);
    }
  });

  it('stops at impossible lengths', () => {
    const good = frame([stringHeader(':event-type', 'good')], '{}');
    const bad = Buffer.alloc(100);
    const { events } = tapped([good, bad, good], [], { contentType: TYPE });
    expect(events).toEqual([{ name: 'good', data: '{}' }]);
  });

  it('never throws on junk', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), chunkSizes, (junk, sizes) => {
        const bytes = Buffer.concat([Buffer.of(0, 0, 0, 60, 0, 0, 0, 20), junk]);
        const { tap } = tapped(cut(bytes, sizes), [], {
          contentType: TYPE,
          limits: { foldBytes: 16 },
        });
        expect(tap.bytes).toBe(bytes.length);
      }),
    );
  });
});
