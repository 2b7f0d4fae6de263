import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchangeRedaction, redactText } from '../../src/testing/redact.ts';
import { recordFetch, replayFetch } from '../../src/testing/index.ts';
import type { Fixture, Redactor } from '../../src/testing/index.ts';

const of = (alphabet: string, minLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength: minLength + 30 });
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const ALL = `${UPPER}abcdefghijklmnopqrstuvwxyz`;

/** Keys as providers make them. */
const lookingLikeKeys: fc.Arbitrary<string> = fc.oneof(
  of(`${ALL}_-`, 20).map((rest) => `sk-${rest}`),
  of(`${ALL}_-`, 20).map((rest) => `sk-ant-api03-${rest}`),
  of(ALL, 24).map((rest) => `sk_live_${rest}`),
  of(`${ALL}_-`, 35).map((rest) => `AIza${rest}`),
  of(`${ALL}_-`, 35).map((rest) => `ya29.${rest}`),
  of(ALL, 36).map((rest) => `ghp_${rest}`),
  of(`${ALL}_`, 36).map((rest) => `github_pat_${rest}`),
  of(UPPER, 16).map((rest) => `AKIA${rest}`),
  fc
    .tuple(
      fc.constantFrom('xai-', 'gsk_', 'nvapi-', 'pplx-', 'hf_', 'csk-', 'r8_', 'xoxb-'),
      of(ALL, 20),
    )
    .map(([prefix, rest]) => prefix + rest),
  fc
    .tuple(of(`${ALL}_-`, 10), of(`${ALL}_-`, 10), of(`${ALL}_-`, 10))
    .map(([a, b, c]) => `eyJ${a}.${b}.${c}`),
  of(ALL, 20).map((rest) => `org-${rest}`),
  of(ALL, 20).map((rest) => `proj_${rest}`),
);
/** A credential of no known shape: only where it stands gives it away. */
const opaque = fc
  .tuple(fc.constantFrom('', 'sk-0123456789', 'eyJabcd.efgh'), of(`${ALL}-._~+/=`, 12))
  .map(([prefix, rest]) => prefix + rest)
  .filter((text) => /\w{3}/.test(text));

const CHAT = 'https://api.test/v1/chat/completions';

interface Leak {
  recorded: Fixture[];
  errors: string;
}

/** Plants secrets in every part of an exchange, records it, and fetches something that is not recorded. */
async function plant(key: string, credential: string, cuts: readonly number[]): Promise<Leak> {
  const recorded: Fixture[] = [];
  const answer = Buffer.from(
    `data: ${JSON.stringify({ error: `wrong key ${credential}`, text: `a\n${key}\n"${key}"`, link: `https://x.test/f?a=1&sig=${credential}` })}\n\n` +
      `data: ü ${credential} ${key}\n\n`,
  );
  const ends = [...new Set(cuts.map((cut) => cut % answer.length))].sort((a, b) => a - b);
  const chunks = [...ends, answer.length].map((end, i) => answer.subarray(ends[i - 1] ?? 0, end));
  const fetch = (): Promise<Response> =>
    Promise.resolve(
      new Response(ReadableStream.from(chunks.filter(({ length }) => length > 0)), {
        headers: {
          'set-cookie': `id=${credential}`,
          'openai-organization': credential,
          'x-note': key,
        },
      }),
    );
  const call: [string, RequestInit] = [
    `${CHAT}?alt=sse&key=${encodeURIComponent(credential)}&q=${encodeURIComponent(`ask ${key}`)}`,
    {
      method: 'POST',
      headers: {
        authorization: `Bearer ${credential}`,
        'x-api-key': key,
        cookie: `session=${credential.replaceAll('=', '')}`,
        'openai-project': key,
      },
      body: JSON.stringify({
        model: 'm',
        messages: [{ content: `use\t${key} or ${credential}` }],
        [key]: 1,
      }),
    },
  ];
  const live = await (
    await recordFetch({ fetch, onFixture: (one) => recorded.push(one) })(...call)
  ).text();
  expect(live).toBe(answer.toString());
  await new Promise((resolve) => setImmediate(resolve));

  // The same request, secrets and all, still finds its recording.
  const replay = replayFetch(recorded);
  await (await replay(...call)).text();
  expect(replay.unused).toEqual([]);

  const misses = [`${CHAT}/${key}?key=${credential}`, call[0]].map((url) =>
    replay(url, { ...call[1], body: JSON.stringify({ [key]: 2, [credential]: 3, x: key }) }).then(
      () => 'answered',
      (error: unknown) => `${String(error)} ${(error as Error).stack}`,
    ),
  );
  return { recorded, errors: (await Promise.all(misses)).join('\n') };
}

describe('planted secrets', () => {
  test('are nowhere in the fixture and in no error', async () => {
    await fc.assert(
      fc.asyncProperty(
        lookingLikeKeys,
        opaque,
        fc.array(fc.nat(500)),
        async (key, credential, cuts) => {
          const { recorded, errors } = await plant(key, credential, cuts);
          const [fixture] = recorded;
          const written = JSON.stringify(recorded);
          for (const secret of [
            key,
            credential,
            encodeURIComponent(credential),
            JSON.stringify(credential).slice(1, -1),
          ]) {
            expect(written).not.toContain(secret);
            expect(errors).not.toContain(secret);
          }
          expect(errors).not.toContain('answered');
          expect(written).toContain('REDACTED');
          const { response } = fixture!;
          const lengths = (response?.chunks ?? []).reduce((sum, length) => sum + length, 0);
          expect(lengths).toBe(Buffer.byteLength(response?.body ?? ''));
          expect(response?.chunks).toHaveLength(response?.timesMs?.length ?? -1);
        },
      ),
      { numRuns: 80 },
    );
  });

  test('are kept when redaction is switched off, and only then', async () => {
    const recorded: Fixture[] = [];
    const record = recordFetch({
      fetch: () => Promise.resolve(new Response('sk-0123456789abcdef')),
      onFixture: (fixture) => recorded.push(fixture),
      redact: false,
    });
    await (
      await record(`${CHAT}?key=abcdefghijkl`, {
        headers: { authorization: 'Bearer abcdefghijkl' },
      })
    ).text();
    await new Promise((resolve) => setImmediate(resolve));
    expect(recorded[0]).toMatchObject({
      request: {
        url: `${CHAT}?key=abcdefghijkl`,
        headers: { authorization: 'Bearer abcdefghijkl' },
      },
      response: { body: 'sk-0123456789abcdef' },
    });
  });
});

test.each([
  'sk-0123456789abcdef',
  'AIzaSyA0123456789abcdefghijklmnop',
  'ghp_0123456789abcdefghijklmnop',
  'AKIA0123456789ABCDEF',
  'xai-0123456789abcdefghij',
  'Bearer 0123456789/abc+def=',
  'https://x.test/a?b=c&sig=ab%2Fcdefgh',
])('%s is found behind any separator and escape', (text) => {
  const secret = text.replace(/^.*[ =](?=.)/, '');
  for (const before of [
    '',
    ' ',
    '"',
    '=',
    '_',
    '\n',
    String.raw`a\n`,
    String.raw`a\\n`,
    String.raw`a\u00e4`,
    'a%3D',
  ]) {
    expect(redactText(`${before}${text}"`)).not.toContain(secret);
  }
});

describe('what is no secret stays', () => {
  test.each([
    'risk-assessment and task-oriented work',
    'ratelimit tokens, bearer of bad news, Bearer authentication',
    '{"prompt_tokens":12,"id":"chatcmpl-AbC123","request_id":"req_011CWfgTxvZTs8ocP6cAyx6S"}',
    'data: {"type":"content_block_delta","index":0}\n\n',
    'SGVsbG8gQUtJQSB3b3JsZCBleUpoYmdQ',
  ])('%j', (text) => {
    expect(redactText(text)).toBe(text);
  });

  test('headers that count tokens and name requests', () => {
    const kept = {
      'anthropic-ratelimit-tokens-limit': '1000',
      'content-type': 'application/json',
      'x-amzn-bedrock-input-token-count': '12',
      'x-ratelimit-remaining-project-tokens': '99',
      'x-request-id': 'req_1',
    };
    const removed = {
      'anthropic-organization-id': 'a',
      'api-key': 'b',
      'idempotency-key': 'c',
      'x-amz-security-token': 'd',
      'x-goog-api-key': 'e',
      'x-goog-user-project': 'f',
    };
    const redaction = exchangeRedaction({ url: CHAT, headers: new Headers() }, []);
    const headers = redaction.headers(new Headers({ ...kept, ...removed }));
    expect(headers).toEqual({
      ...kept,
      ...Object.fromEntries(Object.keys(removed).map((name) => [name, 'REDACTED'])),
    });
  });

  test('page tokens, hosts and paths, but not the accounts in them', () => {
    const redaction = exchangeRedaction(
      { url: CHAT, headers: new Headers({ 'openai-organization': 'api.test' }) },
      [],
    );
    expect(redaction.url('https://api.test/v1/models?pageToken=abc&page_token=def&key=ghi')).toBe(
      'https://api.test/v1/models?pageToken=abc&page_token=def&key=REDACTED',
    );
    expect(
      redaction.url('https://api.test/v1/projects/mine/locations/x/models/gemini:generateContent'),
    ).toBe('https://api.test/v1/projects/REDACTED/locations/x/models/gemini:generateContent');
  });
});

describe('redactors of one’s own', () => {
  const body = (text: string, chunks: number[], redact: Redactor[]): [string, number[]] => {
    const redacted = exchangeRedaction({ url: CHAT, headers: new Headers() }, redact).body(
      Buffer.from(text),
      chunks,
    );
    return [Buffer.from(redacted.bytes).toString(), redacted.chunks];
  };

  test('patterns replace every match, with or without the global flag', () => {
    expect(body('Ann met Ann', [11], [/Ann/])[0]).toBe('REDACTED met REDACTED');
    expect(body('Ann met ann', [11], [/ann/gi])[0]).toBe('REDACTED met REDACTED');
    expect(body('Ann', [3], [/x*/])[0]).toBe('Ann');
  });

  test('chunks keep their borders around what was replaced', () => {
    expect(body('äsecretö!', [3, 4, 4], [/secret/])).toEqual(['äREDACTEDö!', [10, 0, 3]]);
    expect(body('ab--cd--ef', [2, 2, 2, 2, 2], [/--/])).toEqual([
      'abREDACTEDcdREDACTEDef',
      [2, 8, 2, 8, 2],
    ]);
    const smile = (text: string): string => text.replace('🙁', '🙂');
    expect(body('🙁ab', [4, 1, 1], [smile])).toEqual(['🙂ab', [4, 1, 1]]);
    expect(body('ab--cd', [2, 2, 2], [(text) => text.replace('--', '')])).toEqual([
      'abcd',
      [2, 0, 2],
    ]);
  });

  test('any change keeps the chunks a division of the body', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'ä', '🙂', '🙁', '\u{1f842}'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(text, fc.array(fc.nat(6)), text, (source, cuts, replacement) => {
        const bytes = Buffer.from(source);
        let left = bytes.length;
        const chunks = cuts.map((cut) => {
          const length = Math.min(cut, left);
          left -= length;
          return length;
        });
        if (left > 0) chunks.push(left);
        const [redacted, lengths] = body(source, chunks, [
          /a+b/,
          (each) => each.replaceAll(/ä|🙁/g, replacement),
        ]);
        expect(redacted).toBe(
          source.replaceAll(/a+b/g, 'REDACTED').replaceAll(/ä|🙁/g, replacement),
        );
        expect(lengths).toHaveLength(chunks.length);
        expect(Math.min(0, ...lengths)).toBe(0);
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(Buffer.byteLength(redacted));
      }),
    );
  });

  test('a recording made with them is found again with them', async () => {
    const recorded: Fixture[] = [];
    const redact = [/customer \w+/];
    const init = { method: 'POST', body: '{"q":"customer Ann"}' };
    const record = recordFetch({
      fetch: () => Promise.resolve(new Response('for customer Ann')),
      onFixture: (fixture) => recorded.push(fixture),
      redact,
    });
    await (await record(CHAT, init)).text();
    await new Promise((resolve) => setImmediate(resolve));
    expect(JSON.stringify(recorded)).not.toContain('Ann');
    const response = await replayFetch(recorded, { redact })(CHAT, init);
    expect(await response.text()).toBe('for REDACTED');
    await expect(replayFetch(recorded)(CHAT, init)).rejects.toThrow(/differs in q\./);
  });
});
