import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerLog, START } from '../../src/dedupe/answer-log.ts';

const chunk = fc.uint8Array({ minLength: 0, maxLength: 20 });
const step = fc.oneof(
  fc.record({ append: chunk }),
  fc.record({ read: fc.nat({ max: 2 }) }),
  fc.record({ forget: fc.constant(true) }),
);

test('every reader gets every byte once, whatever is forgotten behind the last', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = new AnswerLog();
      const sent: Uint8Array[] = [];
      const readers = [0, 1, 2].map(() => ({ place: START, bytes: [] as Uint8Array[] }));
      for (const each of steps) {
        if ('append' in each) {
          log.append(each.append);
          sent.push(each.append);
        } else if ('read' in each) {
          const reader = readers[each.read]!;
          log.readFrom(reader.place, (bytes) => reader.bytes.push(bytes));
          reader.place = log.end;
        } else {
          const [first] = readers.map(({ place }) => place).sort((a, b) => a.chunks - b.chunks);
          log.forgetBefore(first!);
          expect(log.chunks).toHaveLength(log.end.chunks - first!.chunks);
          expect(log.isWhole).toBe(first!.chunks === 0);
        }
      }
      for (const { place, bytes } of readers) {
        log.readFrom(place, (more) => bytes.push(more));
        expect(Buffer.concat(bytes).equals(Buffer.concat(sent))).toBe(true);
      }
    }),
  );
});

test('a chunk weighs more than its bytes, so that many small ones do not hide', () => {
  const log = new AnswerLog();
  for (let i = 0; i < 1000; i++) log.append(new Uint8Array(1));
  expect(log.end).toEqual({ chunks: 1000, size: 129_000 });
  log.clear();
  expect(log.chunks).toEqual([]);
});
