import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Call } from '../../../src/call.ts';
import { compose } from '../../../src/pipeline.ts';
import type { RequestParts } from '../../../src/http/read-request.ts';
import { createToolOrder } from '../../../src/prompt-cache/arrange/tool-order.ts';
import { guarded } from '../../../src/prompt-cache/body/guarded.ts';
import { createPromptReader } from '../../../src/prompt-cache/body/prompt-reader.ts';
import type { PromptCacheMode } from '../../../src/prompt-cache/settings.ts';
import type { PromptCaching } from '../../../src/prompt-cache/types.ts';
import type { Stage } from '../../../src/stage.ts';
import { arrange, type ArrangeOptions } from '../../../src/stages/arrange.ts';
import { canonicalize } from '../../../src/stages/canonicalize.ts';
import { chunk } from '../../../src/stages/chunk.ts';
import { fingerprint } from '../../../src/stages/fingerprint.ts';
import type { Endpoint } from '../../../src/types.ts';
import { edited } from '../../../src/stages/send/edited-call.ts';
import { JsonView } from '../../../src/util/json-view.ts';
import { anyBody, layout, write } from './bodies.ts';
import { plainCanonical } from './plain-canonical.ts';

const CACHE: PromptCaching = {
  rules: () => undefined,
  salts: () => ({ tools: '', system: '', messages: '' }),
  canMark: () => false,
  hostMode: () => ({}),
  edits: () => [],
};
const CHAT: Endpoint = { provider: 'openai', api: 'chat.completions', cache: CACHE };

interface Settings extends Partial<ArrangeOptions> {
  readonly mode?: PromptCacheMode;
  readonly endpoint?: Endpoint;
  readonly headers?: readonly string[];
}

/** The four stages of one router, and the call as the stages behind them see it. */
function stages({ mode = 'auto', endpoint = CHAT, headers = [], ...options }: Settings = {}) {
  const promptReader = createPromptReader();
  const modeOf = (): PromptCacheMode => mode;
  const toolOrder = createToolOrder({ mode: 'stable' });
  const last: Stage = { name: 'last', handle: () => Promise.resolve(new Response('')) };
  const run = compose([
    chunk({ modeOf, promptReader }),
    arrange({ toolOrder, scopeOf: () => 'scope', ...options }),
    canonicalize({ modeOf, promptReader }),
    fingerprint(),
    last,
  ]);
  return async (body: Call['body']): Promise<Call> => {
    const start = {
      id: 'id',
      startedAt: 0,
      startedEpochMs: 0,
      input: 'https://x/',
      init: undefined,

      transport: undefined,
      context: { priority: 'normal' as const },
      headers,
    };
    const parts = { url: 'https://x/', method: 'POST', headers, body, signal: undefined };
    const call = new Call(start, { ...parts, redirect: 'follow', consumed: false } as RequestParts);
    call.endpoint = endpoint;
    call.json = typeof body === 'string' ? new JsonView(body) : undefined;
    await run(call);
    return call;
  };
}

const tool = (name: string): object => ({ type: 'function', function: { name, parameters: {} } });
const chatBody = (tools: string[], more: object = {}): object => ({
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  tools: tools.map(tool),
  ...more,
});

/** Two lists of the same declarations in one body go out in one order. */
function withSets(key: string, value: unknown): unknown {
  if (key !== 'functionDeclarations' || !Array.isArray(value)) return value;
  const letters = (item: unknown): string => [...JSON.stringify(item)].sort().join('');
  return value.toSorted((a, b) => letters(a).localeCompare(letters(b)));
}

describe('chunk, arrange, canonicalize and fingerprint', () => {
  it('send the canonical body, and describe it', async () => {
    await fc.assert(
      fc.asyncProperty(anyBody, layout, async ({ api, body }, layout) => {
        const text = write(body, layout);
        const headers = ['Content-Length', '1', 'x-other', '2'];
        const call = await stages({ endpoint: { provider: 'p', api, cache: CACHE }, headers })(
          text,
        );
        const canonical = plainCanonical(text)!;
        expect(JSON.parse(call.body as string, withSets)).toEqual(JSON.parse(text, withSets));
        expect(call.prompt?.text).toBe(call.body);
        expect(call.changed).toBe(call.body !== text);
        expect(call.headers.length).toBe(call.changed ? 2 : 4);
        expect(call.json?.text).toBe(call.body);
        expect(call.json?.end).toBe(call.prompt?.end);
        for (const key of Object.keys(body)) {
          expect(call.json?.raw(key)).toBe(new JsonView(call.body as string).raw(key));
        }
        if (layout.repeats) return;
        expect((call.body as string).length).toBe(canonical.length);
      }),
    );
  });

  it.each(['auto', 'observe'] as const)(
    'leave a body whose edits meet it, in %s mode',
    async (mode) => {
      await fc.assert(
        fc.asyncProperty(anyBody, layout, async ({ api, body }, layout) => {
          const call = await stages({ mode, endpoint: { provider: 'p', api, cache: CACHE } })(
            write(body, layout),
          );
          const sent = call.body as string;
          const start = sent.indexOf('{') + 1;
          const end = sent.lastIndexOf('}');
          call.edits = [
            { at: start, remove: 0, insert: '"a":1,' },
            { at: end, remove: 1, insert: ',"z":1}' },
          ];
          const wanted = `${sent.slice(0, start)}"a":1,${sent.slice(start, end)},"z":1}${sent.slice(end + 1)}`;
          expect(edited(call).body).toBe(wanted);
        }),
      );
    },
  );

  it('send what an SDK writes as the very string that came', async () => {
    for (const settings of [{}, { max_tokens: 10 }, { max_completion_tokens: 10 }]) {
      const text = JSON.stringify({ model: 'm', ...settings, messages: [], tools: [tool('a')] });
      const call = await stages({ headers: ['content-length', '9'] })(text);
      expect([call.body, call.changed, call.headers.length]).toEqual([text, false, 2]);
    }
  });

  it('change nothing in observe mode, and do nothing when off', async () => {
    const text = JSON.stringify({ user: 'u', ...chatBody(['a', 'b']) });
    const observed = await stages({ mode: 'observe', headers: ['content-length', '9'] })(text);
    expect(observed.body).toBe(text);
    expect(observed.changed).toBe(false);
    expect(observed.headers).toEqual(['content-length', '9']);
    expect(observed.prompt?.text).toBe(plainCanonical(text));
    expect(observed.fingerprint?.positions).toEqual([1, 2]);
    const { cache: _, ...unknown } = CHAT;
    const unread = await stages({ endpoint: unknown })(text);
    expect([unread.body, unread.prompt, unread.fingerprint]).toEqual([text, undefined, undefined]);
    const off = await stages({ mode: 'off' })(text);
    expect([off.body, off.prompt, off.fingerprint]).toEqual([text, undefined, undefined]);
  });

  it('send shuffled tools in the order and text in which they came first', async () => {
    const run = stages();
    const first = await run(JSON.stringify(chatBody(['b', 'a', 'c'])));
    for (const names of [
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
    ]) {
      const next = await run(JSON.stringify(chatBody(names)));
      expect(next.body).toBe(first.body);
      expect(next.fingerprint?.full).toBe(first.fingerprint?.full);
    }
    const messages = [{ role: 'user', content: 'hi '.repeat(100) }];
    const long = await run(JSON.stringify(chatBody(['c', 'b', 'a'], { messages })));
    const again = await run(JSON.stringify(chatBody(['a', 'c', 'b'], { messages })));
    expect(again.body).toBe(long.body);
    expect(again.fingerprint?.at(0)).toBeUndefined();
    expect(again.fingerprint?.at(2)).toBe(first.fingerprint?.at(2));
  });

  it('put system messages first and drop old turns only on request', async () => {
    const messages = [
      { role: 'user', content: 'one' },
      { role: 'system', content: 'rules' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: {} }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'x'.repeat(4000) },
      { role: 'user', content: 'two' },
    ];
    const text = JSON.stringify({ messages });
    const roles = (call: Call): string[] =>
      (JSON.parse(call.body as string) as { messages: Array<{ role: string }> }).messages.map(
        ({ role }) => role,
      );
    expect(roles(await stages()(text))).toEqual(['user', 'system', 'assistant', 'tool', 'user']);
    const sorted = await stages({ systemFirst: true })(text);
    expect(roles(sorted)).toEqual(['system', 'user', 'assistant', 'tool', 'user']);
    expect(sorted.prompt?.blocks[0]).toMatchObject({ tier: 'system', message: 0 });
    const short = await stages({
      systemFirst: true,
      history: { maxInputTokens: 500, keepLastTurns: 1 },
    })(text);
    expect(roles(short)).toEqual(['system', 'user']);
    expect(short.prompt?.blocks.map(({ message }) => message)).toEqual([0, 1]);
  });

  it('leave alone what they do not understand, and what is signed', async () => {
    const signed = ['Authorization', 'AWS4-HMAC-SHA256 Credential=x'];
    const text = JSON.stringify(chatBody(['a']));
    for (const [body, settings] of [
      ['{"messages":[', {}],
      [null, {}],
      [Buffer.from([0x7b, 0xff, 0x7d]), {}],
      [Buffer.from(`\uFEFF${text}`), {}],
      [text, { headers: signed }],
      [text, { endpoint: { provider: 'openai', api: 'chat.completions' } }],
      [text, { endpoint: { provider: 'openai', api: 'embeddings' } }],
    ] as const) {
      const call = await stages(settings)(body);
      expect([call.body, call.changed, call.prompt]).toEqual([body, false, undefined]);
    }
  });

  it('read bytes as they read text', async () => {
    const text = JSON.stringify({ user: 'ä漢', ...chatBody(['a']) });
    expect((await stages()(Buffer.from(text))).body).toBe(plainCanonical(text));
    const canonical = Buffer.from(plainCanonical(text)!);
    const call = await stages()(canonical);
    expect(call.body).toBe(canonical);
    expect(call.prompt?.text).toBe(plainCanonical(text));
  });

  it('take back what they did when they fail halfway', async () => {
    const call = await stages({ mode: 'off' })('{}');
    const before = { ...call };
    guarded(call, () => {
      Object.assign(call, {
        body: 'x',
        headers: ['a', 'b'],
        changed: true,
        json: new JsonView('x'),
      });
      throw new Error('planted');
    });
    expect({ ...call }).toEqual(before);
  });

  it('survive whatever is thrown in them', async () => {
    const text = JSON.stringify(chatBody(['a']));
    const fails = (): never => {
      throw new Error('planted');
    };
    const call = await stages({ scopeOf: fails })(text);
    expect(call.body).toBe(plainCanonical(text));
    const endpoint: Endpoint = {
      ...CHAT,
      cache: { salts: fails, rules: fails, canMark: fails, hostMode: fails, edits: fails },
    };
    const unsalted = await stages({ endpoint })(text);
    expect(unsalted.body).toBe(plainCanonical(text));
    expect(unsalted.fingerprint).toBeUndefined();
  });
});
