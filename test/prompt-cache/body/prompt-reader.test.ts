import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashPrompt } from '../../../src/prompt-cache/body/chain.ts';
import type { BodyPrompt } from '../../../src/prompt-cache/body/body-prompt.ts';
import {
  createPromptReader,
  type PromptReader,
} from '../../../src/prompt-cache/body/prompt-reader.ts';
import { fingerprintOf } from '../../../src/prompt-cache/fingerprint.ts';
import type { Fingerprint, PromptApi, Salts } from '../../../src/prompt-cache/types.ts';
import { anyBody, layout, LISTS, PLAIN, write } from './bodies.ts';
import { plainBlocks } from './plain-blocks.ts';
import { plainCanonical } from './plain-canonical.ts';

const SALTS: Salts = { tools: 't', system: 's', messages: 'm' };

function promptOf(reader: PromptReader, text: string, api: PromptApi): BodyPrompt | undefined {
  const draft = reader.read(text, api);
  return draft && reader.build(draft);
}

function cold(text: string, api: PromptApi): BodyPrompt {
  const prompt = promptOf(createPromptReader(), text, api);
  if (prompt === undefined) throw new Error('not read');
  return prompt;
}

/** Reads and hashes as the stages do. */
function hashed(
  reader: PromptReader,
  text: string,
  api: PromptApi,
): { prompt: BodyPrompt; print: Fingerprint } {
  const draft = reader.read(text, api)!;
  const prompt = reader.build(draft);
  const { known } = draft;
  prompt.chain = hashPrompt(
    prompt,
    SALTS,
    known?.prompt.chain && { ...known, chain: known.prompt.chain },
  );
  return { prompt, print: fingerprintOf(prompt, prompt.chain) };
}

/** Everything a prompt says of itself. */
function facts(prompt: BodyPrompt): unknown {
  const { api, text, offsets, blocks, end, members } = prompt;
  return { api, text, offsets, blocks, end, members };
}

describe('a prompt', () => {
  it('has the canonical text of the body, in any layout of it', () => {
    fc.assert(
      fc.property(anyBody, layout, ({ api, body }, layout) => {
        const text = write(body, layout);
        expect(cold(text, api).text).toBe(plainCanonical(text));
      }),
      { numRuns: 500 },
    );
  });

  it('is the very same string when the body is canonical', () => {
    fc.assert(
      fc.property(anyBody, ({ api, body }) => {
        const text = plainCanonical(JSON.stringify(body))!;
        const prompt = cold(text, api);
        expect(prompt.isAsSent).toBe(true);
        expect(cold(` ${text}`, api).isAsSent).toBe(false);
      }),
    );
  });

  it('has the blocks that the plain reader sees', () => {
    fc.assert(
      fc.property(anyBody, layout, ({ api, body }, layout) => {
        const text = write(body, layout);
        const prompt = cold(text, api);
        const seen = prompt.blocks.map((block) => {
          const at = prompt.offsets[block.tier];
          const source = prompt.text.slice(at + block.start, at + block.end);
          expect(prompt.slice(at + block.start, at + block.end)).toBe(source);
          expect(block.isString).toBe(source.startsWith('"'));
          expect(block.tokens).toBeGreaterThan(0);
          const { tier, kind, role, message, mark, endsTurn } = block;
          return {
            tier,
            kind,
            role,
            message,
            mark,
            endsTurn,
            value: JSON.parse(source) as unknown,
          };
        });
        expect(seen).toEqual(plainBlocks(api, JSON.parse(text) as Record<string, unknown>));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives any part of its text', () => {
    const places = fc.tuple(fc.nat(), fc.nat());
    fc.assert(
      fc.property(anyBody, layout, places, ({ api, body }, layout, places) => {
        const prompt = cold(write(body, layout), api);
        const [start = 0, end = 0] = places
          .map((place) => place % (prompt.text.length + 1))
          .toSorted((a, b) => a - b);
        expect(prompt.slice(start, end)).toBe(prompt.text.slice(start, end));
        expect(prompt.slice(0, prompt.text.length)).toBe(prompt.text);
      }),
      { numRuns: 1000 },
    );
  });

  it('can be left as it came, with the same blocks', () => {
    fc.assert(
      fc.property(anyBody, layout, ({ api, body }, layout) => {
        const text = write(body, layout);
        const reader = createPromptReader({ canonical: false });
        const { prompt, print } = hashed(reader, text, api);
        expect(prompt.text).toBe(text);
        expect(prompt.isAsSent).toBe(true);
        const sources = (prompt: BodyPrompt): unknown[] =>
          prompt.blocks
            .map(({ tier, start, end }) => {
              const at = prompt.offsets[tier];
              return plainCanonical(prompt.text.slice(at + start, at + end));
            })
            .toSorted((a = '', b = '') => (a < b ? -1 : Number(a > b)));
        expect(sources(prompt)).toEqual(sources(cold(text, api)));
        expect(text.slice(prompt.end).trim()).toBe('}');
        for (const { key, start, end } of prompt.members) {
          expect(plainCanonical(text.slice(start, end))).toBeDefined();
          expect(prompt.member(key)).toBeDefined();
        }
        const again = hashed(reader, text, api);
        expect(facts(again.prompt)).toEqual(facts(prompt));
        expect(again.print.full).toBe(print.full);
      }),
      { numRuns: 300 },
    );
  });

  it('says where its members are', () => {
    fc.assert(
      fc.property(anyBody, layout, ({ api, body }, layout) => {
        const text = write(body, layout);
        const prompt = cold(text, api);
        for (const [key, value] of Object.entries(JSON.parse(text) as object)) {
          const { start, end } = prompt.member(key)!;
          expect(JSON.parse(prompt.text.slice(start, end))).toEqual(value);
        }
        expect(prompt.member('nothing')).toBeUndefined();
        expect(prompt.text.slice(prompt.end)).toBe('}');
      }),
    );
  });

  it('is not made of anything but a JSON object', () => {
    for (const text of [
      '',
      '[]',
      '1',
      '{"messages":[}',
      '{"messages":[]} x',
      '{"messages":[{}}',
      '{"messages":[{"a":tru}]}',
      '{"messages":[{},]}',
      '{,}',
      '{"a":1,}',
      '{"messages":['.repeat(50_000),
      `{"messages":[${'['.repeat(100_000)}`,
    ]) {
      expect(promptOf(createPromptReader(), text, 'chat.completions')).toBeUndefined();
    }
    expect(createPromptReader().read('{"messages":[]}', 'embeddings')).toBeUndefined();
    const many = `{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`;
    expect(cold(many, 'messages').text).toBe(plainCanonical(many));
  });

  it('estimates a quarter of the bytes', () => {
    const tokensOf = (content: unknown): number =>
      cold(JSON.stringify({ messages: [{ role: 'user', content }] }), 'messages').blocks[0]!.tokens;
    expect(tokensOf('x'.repeat(398))).toBe(100);
    expect(tokensOf('漢'.repeat(400))).toBeGreaterThan(270);
    expect(tokensOf('a')).toBe(1);
    const image = { type: 'image', source: { type: 'base64', data: 'A'.repeat(10_000) } };
    expect(tokensOf([image])).toBe(1500);
    expect(tokensOf([{ type: 'tool_result', content: [image] }])).toBeLessThan(1520);
  });
});

describe('a conversation', () => {
  /** Turns of one conversation and branches of it, each in a layout of its own or in that of the one before. */
  const turns = fc.array(
    fc.record({
      keep: fc.nat(100),
      add: anyBody,
      others: fc.option(fc.constantFrom({ temperature: 1 }, { seed: 5 }, { tools: [] }), {
        freq: 3,
      }),
      layout: fc.option(layout, { freq: 3 }),
    }),
    { minLength: 1, maxLength: 8 },
  );

  it('is read as if it had never been seen before', () => {
    let found = 0;
    fc.assert(
      fc.property(anyBody, layout, turns, ({ api, body }, first, turns) => {
        const reader = createPromptReader();
        const key = LISTS[api];
        let now: Record<string, unknown> = body;
        let style = first;
        hashed(reader, write(now, style), api);
        for (const { keep, add, others, layout } of turns) {
          const known = Array.isArray(now[key]) ? (now[key] as unknown[]) : [];
          const added =
            add.api === api && Array.isArray(add.body[key])
              ? (add.body[key] as unknown[])
              : [{ role: 'user', content: 'next' }];
          const kept = known.slice(0, Math.ceil((known.length * (keep > 40 ? 100 : keep)) / 100));
          now = { ...now, ...others, [key]: [...kept, ...added] };
          style = layout ?? style;
          const text = write(now, style);
          if ((reader.read(text, api)?.found?.count ?? 0) > 0) found++;
          const warm = hashed(reader, text, api);
          const fresh = hashed(createPromptReader(), text, api);
          expect(facts(warm.prompt)).toEqual(facts(fresh.prompt));
          const { positions } = fresh.print;
          expect(warm.print.positions).toEqual(positions);
          expect(positions.map((at) => warm.print.at(at))).toEqual(
            positions.map((at) => fresh.print.at(at)),
          );
          expect(positions.every((at) => fresh.print.at(at)?.length === 22)).toBe(true);
          expect(warm.print.full).toBe(fresh.print.full);
        }
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(200);
  });

  it('has equal hashes exactly for equal prefixes', () => {
    fc.assert(
      fc.property(anyBody, layout, fc.nat(), ({ api, body }, layout, cut) => {
        const key = LISTS[api];
        const list = body[key];
        fc.pre(Array.isArray(list) && list.length > 0);
        const all = list as unknown[];
        const count = (cut % all.length) + 1;
        // A key that stands twice, and another order of properties, are another text.
        const spaced = { ...layout, shuffles: false, repeats: false };
        const long = hashed(createPromptReader(), write(body, spaced), api);
        const short = hashed(
          createPromptReader(),
          write({ ...body, [key]: all.slice(0, count) }, PLAIN),
          api,
        );
        const shared = short.print.positions.filter((at) => long.print.at(at) !== undefined);
        for (const at of shared) expect(long.print.at(at)).toBe(short.print.at(at));
        const hashes = long.print.positions.map((at) => long.print.at(at));
        expect(new Set(hashes).size).toBe(hashes.length);
      }),
      { numRuns: 500 },
    );
  });

  it('does not see marks in its hashes, nor a text that is alone written as a part', () => {
    const control = { type: 'ephemeral' };
    const of = (messages: unknown[], system: unknown = 'rules'): Array<string | undefined> => {
      const body = { model: 'm', system, tools: [{ name: 'a', input_schema: {} }], messages };
      const { print } = hashed(createPromptReader(), JSON.stringify(body), 'messages');
      return [...print.positions.map((at) => print.at(at)), print.full];
    };
    const plain = of([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ]);
    expect(
      of([
        { role: 'user', content: [{ type: 'text', text: 'a' }] },
        { role: 'assistant', content: 'b' },
      ]),
    ).toEqual(plain);
    expect(
      of(
        [
          { role: 'user', content: [{ cache_control: control, text: 'a', type: 'text' }] },
          { role: 'assistant', content: [{ type: 'text', text: 'b', cache_control: control }] },
        ],
        [{ type: 'text', text: 'rules', cache_control: { ...control, ttl: '1h' } }],
      ),
    ).toEqual(plain);
    expect(
      of([
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
      ]),
    ).not.toEqual(plain);
    expect(
      of([
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'B' },
      ])[2],
    ).toBe(plain[2]);
    const parts = (mark?: object): unknown[] => [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a', ...mark },
          { type: 'image', ...mark, source: {} },
        ],
      },
    ];
    expect(of(parts({ cache_control: control }))).toEqual(of(parts()));
  });

  it('mixes each salt in where its tier begins', () => {
    const text = JSON.stringify({
      tools: [{ name: 'a' }],
      system: 'b',
      messages: [{ role: 'user', content: 'c' }],
    });
    const prompt = cold(text, 'messages');
    const hashesOf = (salts: Partial<Salts>): Array<string | undefined> => {
      const print = fingerprintOf(prompt, hashPrompt(prompt, { ...SALTS, ...salts }));
      return print.positions.map((at) => print.at(at));
    };
    const same = (salts: Partial<Salts>): boolean[] =>
      hashesOf(salts).map((hash, index) => hash === hashesOf({})[index]);
    expect(same({})).toEqual([true, true, true]);
    expect(same({ messages: 'x' })).toEqual([true, true, false]);
    expect(same({ system: 'x' })).toEqual([true, false, false]);
    expect(same({ tools: 'x' })).toEqual([false, false, false]);
  });

  it('is hashed anew where a salt changes between two turns', () => {
    const messages = Array.from({ length: 30 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: `message ${i} `.repeat(20),
    }));
    const text = (count: number): string =>
      JSON.stringify({ tools: [{ name: 'a' }], system: 'b', messages: messages.slice(0, count) });
    for (const changed of [{ tools: 'x' }, { system: 'x' }, { messages: 'x' }]) {
      const salts = { ...SALTS, ...changed };
      const reader = createPromptReader();
      const { prompt, print: before } = hashed(reader, text(20), 'messages');
      const draft = reader.read(text(22), 'messages')!;
      const next = reader.build(draft);
      const known = { prompt, chain: prompt.chain!, count: draft.known!.count };
      const warm = fingerprintOf(next, hashPrompt(next, salts, known));
      const fresh = cold(text(22), 'messages');
      const wanted = fingerprintOf(fresh, hashPrompt(fresh, salts));
      expect(known.count).toBe(20);
      expect(warm.positions.map((at) => warm.at(at))).toEqual(
        wanted.positions.map((at) => wanted.at(at)),
      );
      expect(warm.at(warm.positions.at(-3)!)).not.toBe(before.at(warm.positions.at(-3)!));
    }
  });

  it('has the same hashes in long conversations, however they came about', () => {
    const message = fc.record({
      role: fc.constantFrom('user', 'assistant'),
      lengths: fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 3 }),
      isOdd: fc.boolean(),
    });
    const talk = fc.array(message, { minLength: 12, maxLength: 30 });
    const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 6 });
    let anchors = 0;
    fc.assert(
      fc.property(talk, cuts, (talk, cuts) => {
        const reader = createPromptReader();
        const hashes = new Map<number, string>();
        for (const cut of cuts) {
          const messages = talk.slice(0, cut).map(({ role, lengths, isOdd }, at, { length }) => {
            const mark = at === length - 1 ? { cache_control: { type: 'ephemeral' } } : {};
            const content = lengths.map((size, part) => ({
              type: 'text',
              text: `${at} ${part} `.repeat(1 + size / 4),
              ...(part === lengths.length - 1 && mark),
            }));
            return isOdd ? { content, role } : { role, content };
          });
          const text = JSON.stringify({ messages });
          const { prompt, print } = hashed(reader, text, 'messages');
          const fresh = hashed(createPromptReader(), text, 'messages').print;
          expect(print.positions).toEqual(fresh.positions);
          expect(print.full).toBe(fresh.full);
          for (const at of print.positions) {
            expect(print.at(at)).toBe(fresh.at(at));
            expect(hashes.get(at) ?? print.at(at)).toBe(print.at(at));
            hashes.set(at, print.at(at)!);
          }
          anchors += prompt.chain?.anchors.length ?? 0;
        }
        expect(new Set(hashes.values()).size).toBe(hashes.size);
      }),
      { numRuns: 60 },
    );
    expect(anchors).toBeGreaterThan(100);
  });

  it('knows each of twenty agents with a common beginning', () => {
    const reader = createPromptReader();
    const common = Array.from({ length: 8 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: `${i} `.repeat(600),
    }));
    const agents = Array.from({ length: 20 }, (_, agent) => [
      ...common,
      { role: 'user', content: `agent ${agent} `.repeat(300) },
    ]);
    for (const messages of agents) hashed(reader, JSON.stringify({ messages }), 'messages');
    for (const messages of agents) {
      const next = JSON.stringify({
        messages: [...messages, { role: 'assistant', content: 'done' }],
      });
      expect(reader.read(next, 'messages')?.found?.count).toBe(9);
    }
  });

  it('takes the place of the turn before, also when the host moves its mark along', () => {
    const reader = createPromptReader();
    const messages = Array.from({ length: 40 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: `message ${i} `.repeat(100),
    }));
    const sizes: number[] = [];
    for (let turn = 20; turn <= 40; turn += 2) {
      const marked = messages.slice(0, turn).map(({ role, content }, i) => {
        const mark = i === turn - 1 ? { cache_control: { type: 'ephemeral' } } : {};
        return { role, content: [{ type: 'text', ...mark, text: content }] };
      });
      const text = JSON.stringify({ messages: marked });
      if (turn > 20) expect(reader.read(text, 'messages')?.found?.count).toBe(turn - 3);
      hashed(reader, text, 'messages');
      sizes.push(reader.bytes);
    }
    expect(sizes.at(-1)).toBeLessThan(sizes[0]! * 2.2);
  });

  it('is forgotten within its bound', () => {
    const maxBytes = 1_000_000;
    const reader = createPromptReader({ maxBytes });
    const body = (id: number): string =>
      JSON.stringify({ messages: [{ role: 'user', content: `${id} `.repeat(2000) }] });
    for (let id = 0; id < 1000; id++) hashed(reader, body(id), 'messages');
    expect(reader.bytes).toBeLessThanOrEqual(maxBytes);
    expect(reader.read(body(999), 'messages')?.found?.count).toBe(1);
    expect(reader.read(body(1), 'messages')?.found?.count ?? 0).toBe(0);
    reader.clear();
    expect(reader.bytes).toBe(0);
    expect(reader.read(body(999), 'messages')?.found).toBeUndefined();
  });
});
