import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRouter } from '../../src/index.ts';
import { askForUsage } from '../../src/stages/adapt.ts';
import { applyEdits } from '../../src/util/edit.ts';
import { JsonView } from '../../src/util/json-view.ts';

const ask = (text: string): string | undefined => {
  const edit = askForUsage(new JsonView(text));
  return edit && applyEdits(text, [edit]);
};

describe('askForUsage', () => {
  test.each([
    ['{"stream":true}', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['{ "stream": true }\n', '{ "stream": true ,"stream_options":{"include_usage":true}}\n'],
    ['{"stream_options":{},"a":1}', '{"stream_options":{"include_usage":true},"a":1}'],
    ['{"stream_options":{ }}', '{"stream_options":{"include_usage":true }}'],
    ['{"stream_options":null}', '{"stream_options":{"include_usage":true}}'],
    [
      '{"stream_options":{"include_obfuscation":false}}',
      '{"stream_options":{"include_usage":true,"include_obfuscation":false}}',
    ],
    ['{"stream_options":{"include_usage":false}}', '{"stream_options":{"include_usage":true}}'],
    ['{"stream_options":{"include_usage": null }}', '{"stream_options":{"include_usage": true }}'],
  ])('%s', (body, wanted) => {
    expect(ask(body)).toBe(wanted);
  });

  test.each([
    ['asked already', '{"stream_options":{"include_usage":true}}'],
    ['something else the provider must judge', '{"stream_options":"yes"}'],
    ['an array', '[1]'],
    ['cut off', '{"stream":true'],
    ['two objects', '{}{}'],
  ])('leaves the body alone: %s', (_name, body) => {
    expect(ask(body)).toBeUndefined();
  });

  test('changes nothing but the one member, whatever the body', () => {
    const options = fc.option(
      fc.record(
        { include_usage: fc.constantFrom(false, null), include_obfuscation: fc.boolean() },
        { requiredKeys: [] },
      ),
    );
    const body = fc.record(
      { messages: fc.jsonValue(), stream_options: options, 'ü "quoted"': fc.jsonValue() },
      { requiredKeys: ['messages'] },
    );
    fc.assert(
      fc.property(body, fc.nat(3), (value, indent) => {
        const asked = ask(JSON.stringify(value, null, indent));
        const wanted = {
          ...value,
          stream_options: { ...value.stream_options, include_usage: true },
        };
        // Through JSON, because -0 and undefined do not survive it either way.
        expect(JSON.parse(asked ?? 'null')).toEqual(JSON.parse(JSON.stringify(wanted)));
      }),
    );
  });
});

const USAGE =
  'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}\n\n';
const TEXT =
  'data: {"model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}],"usage":null}\n\n';

/** A server that knows `stream_options`, or answers 400 to it. */
function server(knowsStreamOptions: boolean): typeof fetch & { bodies: string[] } {
  const bodies: string[] = [];
  const answer = (_input: unknown, init?: RequestInit): Promise<Response> => {
    const body = String(init?.body);
    bodies.push(body);
    const asked = body.includes('include_usage');
    if (asked && !knowsStreamOptions) {
      return Promise.resolve(
        Response.json({ error: { message: 'unknown field' } }, { status: 400 }),
      );
    }
    const stream = `${TEXT}${asked ? USAGE : ''}data: [DONE]\n\n`;
    return Promise.resolve(
      new Response(stream, { headers: { 'content-type': 'text/event-stream' } }),
    );
  };
  return Object.assign(answer, { bodies });
}

const BODY = '{"model":"m","messages":[],"stream":true}';

async function post(router: ReturnType<typeof createRouter>, url: string): Promise<string> {
  const response = await router.fetch(url, { method: 'POST', body: BODY });
  return response.text();
}

describe('in the pipeline', () => {
  test('the usage is asked for, recorded and hidden from the host', async () => {
    const upstream = server(true);
    const router = createRouter({ fetch: upstream });
    const records: unknown[] = [];
    router.on('usage', (record) => records.push(record));
    expect(await post(router, 'https://api.openai.com/v1/chat/completions')).toBe(
      `${TEXT}data: [DONE]\n\n`,
    );
    expect(upstream.bodies).toEqual([
      '{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}',
    ]);
    expect(records).toMatchObject([
      { outcome: 'ok', attempt: 1, usage: { grade: 'exact', inputTokens: { total: 3 } } },
    ]);
  });

  test('a server of unknown make that refuses is asked without, and not again', async () => {
    const upstream = server(false);
    const router = createRouter({ fetch: upstream });
    const records: unknown[] = [];
    router.on('usage', (record) => records.push(record));
    const url = 'http://localhost:8000/v1/chat/completions';
    for (let call = 0; call < 2; call++)
      expect(await post(router, url)).toBe(`${TEXT}data: [DONE]\n\n`);
    expect(upstream.bodies.map((body) => body.includes('include_usage'))).toEqual([
      true,
      false,
      false,
    ]);
    await router.flush();
    // The refused attempt cost nothing and gives no record.
    expect(records).toMatchObject([
      { outcome: 'ok', attempt: 2, final: true, usage: { grade: 'estimated' } },
      { outcome: 'ok', attempt: 1, final: true },
    ]);
  });

  test('a request that is wrong anyway stays wrong, and the next one is asked again', async () => {
    const bodies: string[] = [];
    const router = createRouter({
      fetch: (_input, init) => {
        bodies.push(String(init?.body));
        return Promise.resolve(Response.json({ error: {} }, { status: 400 }));
      },
    });
    const url = 'http://localhost:8000/v1/chat/completions';
    for (let call = 0; call < 2; call++) {
      expect((await router.fetch(url, { method: 'POST', body: BODY })).status).toBe(400);
    }
    expect(bodies.map((body) => body.includes('include_usage'))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});
