import type { IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anthropic } from '../../../adapters/anthropic/index.ts';
import { openai } from '../../../adapters/openai/index.ts';
import { createRouter } from '../../../src/index.ts';
import type { GivenBody } from './sent.ts';
import { startServer, type TestServer } from '../../helpers/server.ts';

/** Over a real connection: the length that is announced is that of the bytes that come. */

interface Arrived {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

let server: TestServer;
const arrived: Arrived[] = [];

beforeAll(async () => {
  server = await startServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      arrived.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          model: 'm',
          usage: {
            input_tokens: 10,
            output_tokens: 1,
            cache_read_input_tokens: 0,
            cache_creation_input_tokens: 9,
          },
        }),
      );
    });
  });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const LONG = 'größe 🙂 '.repeat(3000);

describe('over undici', () => {
  const messages = JSON.stringify({
    model: 'claude-sonnet-4-5',
    max_tokens: 1,
    system: LONG,
    messages: [{ content: LONG, role: 'user' }],
  });

  const canonical = JSON.stringify({
    model: 'claude-sonnet-4-5',
    max_tokens: 1,
    messages: [{ role: 'user', content: LONG }],
    system: LONG,
  });
  const text = (body: string): GivenBody => body;
  const bytes = (body: string): GivenBody => new TextEncoder().encode(body);

  test.each([
    ['text', messages, text],
    ['bytes', messages, bytes],
    ['text that is only marked', canonical, text],
  ])('a marked body of %s, with a length that the host counted', async (_name, given, make) => {
    const router = createRouter({
      adapters: [anthropic({ baseURL: `${server.origin}/anthropic` })],
    });
    try {
      let marks = 0;
      for (let i = 0; i < 4; i++) {
        arrived.length = 0;
        const length = String(Buffer.byteLength(given));
        const response = await router.fetch(`${server.origin}/anthropic/v1/messages`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'Content-Length': length },
          body: make(given),
        });
        await response.text();
        const [{ headers, body }] = arrived as [Arrived];
        expect(headers['content-length']).toBe(String(body.length));
        expect(headers['transfer-encoding']).toBeUndefined();
        const text = body.toString('utf8');
        expect(text).not.toContain('\ufffd');
        marks += text.split('"cache_control"').length - 1;
        const { system } = JSON.parse(text) as { system: string | Array<{ text: string }> };
        expect(typeof system === 'string' ? system : system[0]?.text).toBe(LONG);
      }
      expect(marks).toBeGreaterThan(0);
    } finally {
      await router.close();
    }
  });

  test('the question for usage and a rewritten body', async () => {
    const router = createRouter({ adapters: [openai({ baseURL: `${server.origin}/openai` })] });
    try {
      arrived.length = 0;
      const body = `{ "stream":true, "model":"gpt-4o", "messages":[{"content":${JSON.stringify(LONG)},"role":"user"}]}`;
      const response = await router.fetch(`${server.origin}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        },
        body,
      });
      await response.text();
      const [one] = arrived as [Arrived];
      expect(one.headers['content-length']).toBe(String(one.body.length));
      expect(JSON.parse(one.body.toString('utf8'))).toMatchObject({
        stream_options: { include_usage: true },
        messages: [{ role: 'user', content: LONG }],
      });
    } finally {
      await router.close();
    }
  });

  test('a compressed body and a form arrive as they were sent', async () => {
    const router = createRouter({
      adapters: [anthropic({ baseURL: `${server.origin}/anthropic` })],
    });
    try {
      const zipped = new Uint8Array(gzipSync(messages));
      arrived.length = 0;
      await (
        await router.fetch(`${server.origin}/anthropic/v1/messages`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
          body: zipped,
        })
      ).text();
      const form = new FormData();
      form.set('purpose', 'x');
      await (
        await router.fetch(`${server.origin}/anthropic/v1/files`, { method: 'POST', body: form })
      ).text();
      const [first, second] = arrived as [Arrived, Arrived];
      expect(first.body.equals(zipped)).toBe(true);
      expect(first.headers['content-encoding']).toBe('gzip');
      expect(second.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
      expect(second.body.toString('utf8')).toContain('name="purpose"');
    } finally {
      await router.close();
    }
  });
});
