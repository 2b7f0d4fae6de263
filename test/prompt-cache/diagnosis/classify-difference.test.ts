import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  classifyDifference,
  firstDifference,
} from '../../../src/prompt-cache/diagnosis/classify-difference.ts';

const classOf = (before: string, after: string) =>
  classifyDifference(before, after, firstDifference(before, after));

describe('classifyDifference', () => {
  test.each([
    ['Today is Monday, 3 March 2026.', 'Today is Tuesday, 4 March 2026.'],
    ['Today is Monday, 3 March 2026.', 'Today is Monday, 10 March 2026.'],
    ['Today is March 3, 2026', 'Today is March 31, 2026'],
    ['Today is March 31, 2026', 'Today is April 1, 2026'],
    ['the 3rd of March', 'the 4th of March'],
    ['It is Monday.', 'It is Tuesday.'],
    ['as of May 2026,', 'as of June 2026,'],
    ['date: 2026-03-03', 'date: 2026-03-04'],
    ['<env>2026-03-03T10:15:22Z</env>', '<env>2026-03-03T10:15:23Z</env>'],
    ['at 2026-03-03 10:15:22.123456+00:00', 'at 2026-03-03 10:15:22.923456+00:00'],
    ['20260303T101522Z', '20260303T101523Z'],
    ['run 20260303', 'run 20260304'],
    ['03/03/2026', '04/03/2026'],
    ['3.3.2026', '13.3.2026'],
    ['now 9:59 PM', 'now 10:00 PM'],
    ['now 10:15', 'now 10:16'],
    ['Tue, 03 Mar 2026 10:15:22 +0000', 'Tue, 03 Mar 2026 10:15:22 +0100'],
    ['Tue, 03 Mar 2026 10:15:22 GMT', 'Wed, 04 Mar 2026 10:15:22 GMT'],
    ['Tue Mar  3 10:15:22 2026', 'Tue Mar  3 10:15:22 2027'],
    ['Tue Mar 03 2026 10:15:22 GMT+0100', 'Tue Mar 03 2026 10:15:59 GMT+0100'],
    ['ts=1772532922', 'ts=1772532923'],
    ['ts=1772532922123', 'ts=1772532999123'],
    ['ts=1772532922.123', 'ts=1772532999.123'],
    ['2026年3月3日', '2026年3月4日'],
  ])('timestamp: %s | %s', (before, after) => {
    expect(classOf(before, after)).toBe('timestamp');
  });

  test.each([
    ['id 3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'id 3f2504e0-4f89-41d3-9a0c-0305e82c3302'],
    ['{3F2504E0-4F89-41D3-9A0C-0305E82C3301}', '{7A2504E0-4F89-41D3-9A0C-0305E82C3301}'],
    ['20260303-4f89-41d3-9a0c-0305e82c3301', '20260304-4f89-41d3-9a0c-0305e82c3301'],
    ['trace 4bf92f3577b34da6a3ce929d0e0e4736', 'trace 5bf92f3577b34da6a3ce929d0e0e4736'],
    [
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01',
    ],
    ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '01ARZ3NDEKTSV4RRFFQ69G5FAW'],
    ['req_011CSHoEeqs5C35K2UUqR7Fy', 'req_019Bx7kQeqs5C35K2UUqR7Fy'],
    ['V1StGXR8_Z5jdHi6B-myT', 'V1StGXR8_Z5jdHi6B-myU'],
    ['session 1234567890123456', 'session 9234567890123456'],
  ])('uuid: %s | %s', (before, after) => {
    expect(classOf(before, after)).toBe('uuid');
  });

  test.each([
    ['turn 17', 'turn 18'],
    ['turn 9', 'turn 10'],
    ['turn 1', 'turn 10'],
    ['turn 1.', 'turn 12.'],
    ['budget left: 1,250 tokens', 'budget left: 1,190 tokens'],
    ['step#3/10', 'step#4/10'],
    ['the 17th call', 'the 18th call'],
    ['claude-opus-4-5', 'claude-opus-4-6'],
    ['attempt7', 'attempt8'],
    ['version 1.2.17', 'version 1.2.18'],
    ['getUserById2', 'getUserById3'],
  ])('counter: %s | %s', (before, after) => {
    expect(classOf(before, after)).toBe('counter');
  });

  test.each([
    ['You are a poet.', 'You are a coder.'],
    ['It is 10:15. Ask', 'It is 10:15. Tell'],
    ['on 2026-03-03. Hello', 'on 2026-03-03! Hello'],
    ['turn 17', 'turn seventeen'],
    ['now 10:15', 'now unknown'],
    ['commit a1b2c', 'commit a1b3c'],
    ['user Bob', 'user Alice'],
    ['short', 'short and long'],
    ['', 'new'],
    ['internationalization', 'internationalisation'],
  ])('other: %s | %s', (before, after) => {
    expect(classOf(before, after)).toBe('other');
  });

  const around = fc.tuple(
    fc.constantFrom('', 'You are an agent. ', '<id>', 'x: "', '\n'),
    fc.constantFrom('', '.', ' and then', '</id>', '", y'),
  );

  test('any two UUIDs', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.boolean(), around, (a, b, dashes, [start, end]) => {
        fc.pre(a !== b);
        const write = (id: string) => `${start}${dashes ? id : id.replaceAll('-', '')}${end}`;
        expect(classOf(write(a), write(b))).toBe('uuid');
      }),
      { numRuns: 500 },
    );
    expect(classOf(randomUUID(), randomUUID())).toBe('uuid');
  });

  const date = fc.date({
    min: new Date('2002-01-01T00:00:00Z'),
    max: new Date('2039-01-01T00:00:00Z'),
    noInvalidDate: true,
  });
  const long =
    (options: Intl.DateTimeFormatOptions, locale = 'en-US') =>
    (day: Date) =>
      day.toLocaleString(locale, { timeZone: 'UTC', ...options });
  const formats: Record<string, (date: Date) => string> = {
    iso: (day) => day.toISOString(),
    'iso date': (day) => day.toISOString().slice(0, 10),
    utc: (day) => day.toUTCString(),
    seconds: (day) => String(Math.floor(day.getTime() / 1000)),
    milliseconds: (day) => String(day.getTime()),
    'long US': long({ dateStyle: 'full' }),
    'long UK': long({ dateStyle: 'full' }, 'en-GB'),
    'medium US': long({ dateStyle: 'medium', timeStyle: 'medium' }),
    'short US': long({ dateStyle: 'short' }),
    'short UK': long({ dateStyle: 'short', timeStyle: 'short' }, 'en-GB'),
    time: long({ timeStyle: 'medium' }),
  };

  test.each(Object.keys(formats))('any two dates as %s', (name) => {
    const format = formats[name] ?? String;
    fc.assert(
      fc.property(date, date, around, (a, b, [start, end]) => {
        const before = `${start}${format(a)}${end}`;
        const after = `${start}${format(b)}${end}`;
        fc.pre(before !== after);
        expect([before, after, classOf(before, after)]).toEqual([before, after, 'timestamp']);
      }),
      { numRuns: 300 },
    );
  });

  test('any two small integers', () => {
    fc.assert(
      fc.property(fc.nat(999_999), fc.nat(999_999), (a, b) => {
        fc.pre(a !== b);
        expect(classOf(`turn ${a} of many`, `turn ${b} of many`)).toBe('counter');
      }),
    );
  });

  test('looks at a bounded part of hostile texts', () => {
    for (const piece of ['1', 'a', '-', ' ', '2026-', '10:', 'Mon, ', 'March ', '\u{1f600}']) {
      const filler = piece.repeat(Math.ceil(500_000 / piece.length));
      const before = `${filler}x${filler}`;
      const after = `${filler}y${filler}`;
      const at = firstDifference(before, after);
      expect(at).toBe(filler.length);
      // The window is all that counts, so the class is that of the window alone.
      const cut = (text: string) => text.slice(at - 80, at + 80);
      expect(classifyDifference(before, after, at)).toBe(
        classifyDifference(cut(before), cut(after), 80),
      );
    }
  });

  test('never throws and never depends on the order of the two', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const at = Math.max(0, firstDifference(a, b));
        expect(classifyDifference(a, b, at)).toBe(classifyDifference(b, a, at));
      }),
    );
  });
});

describe('firstDifference', () => {
  test('is the first unit that differs, at the start of its character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string(),
        fc.string(),
        fc.nat(5000),
        (head, a, b, pad) => {
          const start = head + 'p'.repeat(pad);
          const before = start + a;
          const after = start + b;
          const at = firstDifference(before, after);
          if (before === after) expect(at).toBe(-1);
          else {
            expect(before.slice(0, at)).toBe(after.slice(0, at));
            expect(before.slice(at, at + 2)).not.toBe(after.slice(at, at + 2));
            // It would be split in two by a cut within a character.
            expect(Buffer.from(before.slice(0, at)).toString()).toBe(before.slice(0, at));
          }
        },
      ),
    );
    // The same high surrogate, another low one.
    expect(firstDifference('a\u{1f600}', 'a\u{1f601}')).toBe(1);
    expect(firstDifference('abc', 'ab')).toBe(2);
  });
});
