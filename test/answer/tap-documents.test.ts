import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAnswerTap } from '../../src/answer/tap.ts';
import { chunkSizes, cut, foldSizes, jsonObject, tapped, tellingWire } from './helpers.ts';

const contentType = fc.constantFrom(
  'application/json',
  'text/event-stream',
  'text/plain',
  undefined,
);
const lead = fc.constantFrom('', '\ufeff', '\n\n  ', '\ufeff\r\n');

describe('the tap on a JSON document', () => {
  it('gives the wire the whole document, however it is cut, printed and labelled', () => {
    fc.assert(
      fc.property(
        jsonObject,
        lead,
        contentType,
        chunkSizes,
        foldSizes,
        fc.constantFrom(0, 2),
        (value, before, type, sizes, foldBytes, indent) => {
          const bytes = Buffer.from(before + JSON.stringify(value, null, indent));
          const told = tapped(cut(bytes, sizes), ['"usage"'], {
            contentType: type,
            limits: { foldBytes },
          });
          expect(told.answers).toEqual([value]);
          expect(told.events).toEqual([]);
        },
      ),
    );
  });

  it('tells the elements of an array as events', () => {
    fc.assert(
      fc.property(
        fc.array(jsonObject, { maxLength: 4 }),
        chunkSizes,
        foldSizes,
        (list, sizes, foldBytes) => {
          const bytes = Buffer.from(JSON.stringify(list, null, 1).replaceAll('\n', '\r\n'));
          const told = tapped(cut(bytes, sizes), ['"usage"'], {
            contentType: 'application/json',
            limits: { foldBytes },
          });
          expect(told.answers).toEqual([]);
          expect(told.events.map(({ data }) => JSON.parse(data) as unknown)).toEqual(list);
        },
      ),
    );
  });

  it('keeps both ends of a document that is too long', () => {
    const rows = Array.from({ length: 500 }, (_, index) => ({
      index,
      embedding: [0.25, -1, index],
    }));
    const list = { object: 'list', data: rows, model: 'm', usage: { total: 7 } };
    const text = JSON.stringify(list, null, 1);
    const limits = { maxFrameBytes: 4000, keepBytes: 500 };
    for (const [size, foldBytes] of [
      [1, 1],
      [100, 300],
      [1_000_000, 1000],
    ] as const) {
      const { answers, tap } = tapped(cut(Buffer.from(text), [size]), [], {
        contentType: 'application/json',
        limits: { ...limits, foldBytes },
      });
      expect(answers).toMatchObject([{ object: 'list', model: 'm', usage: { total: 7 } }]);
      expect(tap.outputText().share).toBeCloseTo(1000 / text.length, 5);
    }
  });

  it('keeps the last bytes wherever a document ends', () => {
    const limits = { maxFrameBytes: 1000, keepBytes: 200, foldBytes: 64 };
    for (let length = 2000; length < 3200; length += 25) {
      const last = { a: 1, b: 2, c: { d: ['e'] }, usage: 9, pad: 'x'.repeat(80) };
      // Printed over several lines, it is known for a document from the first line on.
      const text = JSON.stringify({ first: 0, text: 'y'.repeat(length), ...last }, null, 1);
      const bytes = Buffer.from(text);
      const { answers } = tapped(cut(bytes, [64]), [], { contentType: undefined, limits });
      expect(answers).toEqual([{ first: 0, ...last }]);
    }
  });

  it('reads what is there of a document that breaks off', () => {
    const { wire } = tellingWire([]);
    const seen: unknown[] = [];
    const tap = createAnswerTap({
      wire: { ...wire, answer: (json) => seen.push(json.get('a'), json.get('b'), json.isObject) },
      contentType: 'application/json',
    });
    tap.push(Buffer.from('{"a":1,"b":12'));
    tap.facts();
    expect(seen).toEqual([1, undefined, false]);
  });

  it('is read once, and an empty answer not at all', () => {
    const { wire, told } = tellingWire([]);
    const tap = createAnswerTap({ wire, contentType: 'application/json' });
    tap.push(Buffer.from('{"text":"hé"}'));
    expect(tap.facts()).toBe(tap.facts());
    expect(tap.outputText()).toEqual({ text: 'hé', share: 1 });
    expect(told.answers).toEqual([{ text: 'hé' }]);
    const empty = tapped([], [], { contentType: undefined });
    expect(empty.answers).toEqual([]);
    expect(empty.tap.outputText()).toEqual({ text: '', share: 1 });
  });
});

describe('the tap on JSON lines', () => {
  it('tells the first line and those that hold a mark', () => {
    const line = fc.tuple(jsonObject, fc.boolean(), fc.constantFrom('\n', '\r\n', '\n\n'));
    const type = fc.constantFrom('application/x-ndjson', 'application/jsonl; charset=utf-8');
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 8 }),
        type,
        chunkSizes,
        foldSizes,
        (lines, contentTypeOfLines, sizes, foldBytes) => {
          const texts = lines.map(([value, marked]) => JSON.stringify({ value, marked }));
          const whole = texts.map((text, i) => text + (lines[i]?.[2] ?? '')).join('');
          const { events } = tapped(cut(Buffer.from(whole), sizes), ['"marked":true'], {
            contentType: contentTypeOfLines,
            limits: { foldBytes },
          });
          const read = texts.filter((text, i) => i === 0 || text.endsWith('"marked":true}'));
          expect(events.map(({ data }) => data)).toEqual(read);
        },
      ),
    );
  });

  it('knows JSON lines by the second line where the content type does not say', () => {
    const whole = '{"a":1}\n{"b":2}\n{"c":3}';
    for (const size of [1, 8, 9, 100]) {
      const { events } = tapped(cut(Buffer.from(whole), [size]), [], {
        contentType: 'application/json',
        limits: { foldBytes: 1 },
      });
      expect(events.map(({ data }) => data)).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
    }
  });
});

describe('the tap on an answer with the wrong label', () => {
  it('reads data lines under any content type', () => {
    for (const type of ['application/json', 'text/plain', undefined]) {
      for (const size of [1, 100]) {
        const { events } = tapped(cut(Buffer.from('\n: hi\n\ndata: {"a":1}\n\n'), [size]), [], {
          contentType: type,
          limits: { foldBytes: 1 },
        });
        expect(events).toEqual([{ name: '', data: '{"a":1}' }]);
      }
    }
  });

  it('tells nothing of a page that is neither', () => {
    const told = tapped([Buffer.from('<html>"error" data: 1</html>')], [], {
      contentType: 'text/html',
    });
    expect(told.events).toEqual([]);
    expect(told.answers).toEqual([]);
  });
});

describe('a tap whose wire fails', () => {
  it('keeps the error and goes on', () => {
    const { wire } = tellingWire([]);
    const failing = {
      ...wire,
      event: (event: { data: string }, facts: { model?: string | undefined }) => {
        if (event.data === 'bad') throw new Error('planted');
        facts.model = event.data;
      },
    };
    const tap = createAnswerTap({
      wire: failing,
      contentType: undefined,
      limits: { foldBytes: 1 },
    });
    tap.push(Buffer.from('data: bad\n\n'));
    tap.push(Buffer.from('data: good\n\n'));
    expect(tap.facts()).toEqual({ model: 'good' });
    expect(tap.fault).toEqual(new Error('planted'));
  });

  it('reads response headers first', () => {
    const { wire } = tellingWire([]);
    const tap = createAnswerTap({
      wire: {
        ...wire,
        headers: (header, facts) => {
          facts.requestId = header('x-id');
        },
      },
      contentType: undefined,
      headers: (name) => (name === 'x-id' ? 'r1' : undefined),
    });
    expect(tap.facts()).toEqual({ requestId: 'r1' });
  });
});
