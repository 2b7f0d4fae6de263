import fc from 'fast-check';
import { createAnswerTap, type AnswerTap, type AnswerTapOptions } from '../../src/answer/tap.ts';
import type { StreamEvent, Wire } from '../../src/types.ts';
import type { JsonView } from '../../src/util/json-view.ts';

export interface Told {
  readonly events: Array<{ name: string; data: string }>;
  readonly answers: unknown[];
}

/** A wire that writes down what it is given. */
export function tellingWire(marks: readonly string[]): { wire: Wire; told: Told } {
  const told: Told = { events: [], answers: [] };
  const wire: Wire = {
    name: 'telling',
    marks,
    answer: (json: JsonView) => told.answers.push(json.parse()),
    event: ({ name, data }: StreamEvent) => told.events.push({ name, data }),
    usage: () => ({ inputTokens: {}, outputTokens: {}, grade: 'none' }),
    outputText: (json) => json.string('text') ?? '',
  };
  return { wire, told };
}

export type TapSettings = Omit<AnswerTapOptions, 'wire'>;

export function tapped(
  chunks: readonly Uint8Array[],
  marks: readonly string[],
  settings: TapSettings,
): Told & { tap: AnswerTap } {
  const { wire, told } = tellingWire(marks);
  const tap = createAnswerTap({ wire, ...settings });
  for (const chunk of chunks) tap.push(chunk);
  tap.facts();
  if (tap.fault !== undefined) throw tap.fault;
  return { ...told, tap };
}

/** Cuts bytes into chunks; `sizes` repeat until all is cut. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? bytes.length);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

export const chunkSizes: fc.Arbitrary<number[]> = fc.oneof(
  fc.constant<number[]>([Number.MAX_SAFE_INTEGER]),
  fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }),
);

/** From a fold after every chunk to one fold at the end. */
export const foldSizes: fc.Arbitrary<number> = fc.constantFrom(1, 7, 50, 64 * 1024);

/**
 * Without characters that are escaped: V8's JSON.parse gets some escaped keys wrong. Node 24.21 reads the second key of
 * `{"a":1,"\\bé":1}` as `\\b` once it has parsed `{"a":1,"\\\\b":1}` (seen 2026-11-21; Node 20 does not).
 */
const key: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom('a', 'b', '{', ']', ',', ':', 'é', '😀', ' '),
  maxLength: 4,
});

/** JSON values, as `JSON.parse` gives them. */
export const jsonValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; leaf: unknown }>(
  (tie) => ({
    leaf: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('"', '\\', ',', '}', '[', '\n', 'x', 'é'), maxLength: 6 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
      fc.boolean(),
      fc.constant(null),
    ),
    value: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }),
).value;

export const jsonObject: fc.Arbitrary<Record<string, unknown>> = fc.dictionary(key, jsonValue, {
  maxKeys: 6,
  noNullPrototype: true,
});
