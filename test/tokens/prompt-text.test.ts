import { describe, expect, test } from 'vitest';
import { BoundedText } from '../../src/tokens/bounded-text.ts';
import { MAX_PROMPT_CHARS, promptText } from '../../src/tokens/prompt-text.ts';

const IMAGE = `data:image/png;base64,${'iVBORw0KGgo'.repeat(50)}`;
const BASE64 = 'iVBORw0KGgo'.repeat(50);

/** Bodies in which every word that is billed as text starts with `billed`, and nothing else does. */
const BODIES: Readonly<
  Record<string, { body: unknown; words: number; messages: number; tools?: number }>
> = {
  'chat completions': {
    words: 11,
    messages: 4,
    tools: 1,
    body: {
      model: 'gpt-4o',
      temperature: 0.3,
      user: 'someone',
      messages: [
        { role: 'system', content: 'billed1' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'billed2' },
            { type: 'image_url', image_url: { url: IMAGE, detail: 'high' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            { type: 'text', text: IMAGE },
            { type: 'input_audio', input_audio: { data: BASE64, format: 'wav' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: IMAGE } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'dropped by providers',
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'billed3', arguments: '{"city":"billed4"}' },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'billed5' },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'billed6',
            description: 'billed7',
            parameters: {
              type: 'object',
              properties: {
                billed8: { type: 'string', description: 'billed9', enum: ['billed10'] },
              },
            },
          },
        },
      ],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { title: 'billed11' } },
      },
    },
  },
  responses: {
    words: 9,
    messages: 6,
    tools: 1,
    body: {
      model: 'gpt-5',
      instructions: 'billed1',
      metadata: { note: 'free' },
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'billed2' },
            { type: 'input_image', image_url: IMAGE },
          ],
        },
        { type: 'reasoning', id: 'rs_1', encrypted_content: BASE64, summary: [] },
        { type: 'function_call', call_id: 'c1', name: 'billed3', arguments: '{"a":"billed4"}' },
        { type: 'function_call_output', call_id: 'c1', output: 'billed5' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'billed6', input: 'billed7' },
      ],
      tools: [
        {
          type: 'function',
          name: 'billed8',
          parameters: { type: 'object', properties: { billed9: {} } },
        },
        { type: 'web_search', search_context_size: 'low' },
      ],
    },
  },
  messages: {
    words: 11,
    messages: 4,
    tools: 1,
    body: {
      model: 'claude-sonnet-4-5',
      max_tokens: 100,
      stop_sequences: ['END'],
      system: [{ type: 'text', text: 'billed1', cache_control: { type: 'ephemeral' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: BASE64 } },
            {
              type: 'document',
              title: 'billed2',
              source: { type: 'text', media_type: 'text/plain', data: 'billed3' },
            },
            {
              type: 'search_result',
              source: 'https://example.com',
              title: 'billed4',
              content: [{ type: 'text', text: 'billed5' }],
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'billed6', signature: BASE64 },
            { type: 'tool_use', id: 'toolu_1', name: 'billed7', input: { type: 'billed8' } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'toolu_1',
              content: [{ type: 'text', text: 'billed9' }],
            },
          ],
        },
      ],
      tools: [
        {
          name: 'billed10',
          input_schema: { type: 'object', properties: { billed11: { type: 'integer' } } },
        },
      ],
    },
  },
  generateContent: {
    words: 8,
    messages: 4,
    tools: 1,
    body: {
      systemInstruction: { parts: [{ text: 'billed1' }] },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'billed2' },
            { inlineData: { mimeType: 'image/png', data: BASE64 } },
            { fileData: { fileUri: 'gs://a' } },
          ],
        },
        {
          role: 'model',
          parts: [
            {
              functionCall: { name: 'billed3', args: { to: 'billed4' } },
              thoughtSignature: BASE64,
            },
          ],
        },
        {
          role: 'user',
          parts: [{ functionResponse: { name: 'billed5', response: { ok: 'billed6' } } }],
        },
      ],
      tools: [
        {
          functionDeclarations: [
            {
              name: 'billed7',
              parameters: { type: 'OBJECT', properties: { billed8: { type: 'STRING' } } },
            },
          ],
        },
        { googleSearch: {} },
      ],
      generationConfig: { temperature: 1, stopSequences: ['END'] },
    },
  },
  converse: {
    words: 8,
    messages: 4,
    tools: 1,
    body: {
      system: [{ text: 'billed1' }, { cachePoint: { type: 'default' } }],
      messages: [
        {
          role: 'user',
          content: [
            { text: 'billed2' },
            { image: { format: 'png', source: { bytes: BASE64 } } },
            { document: { format: 'pdf', source: { bytes: BASE64 } } },
          ],
        },
        {
          role: 'assistant',
          content: [{ toolUse: { toolUseId: 't1', name: 'billed3', input: { a: 'billed4' } } }],
        },
        {
          role: 'user',
          content: [
            {
              toolResult: {
                toolUseId: 't1',
                content: [{ json: { b: 'billed5' } }, { text: 'billed6' }],
              },
            },
          ],
        },
      ],
      inferenceConfig: { maxTokens: 100 },
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: 'billed7',
              inputSchema: { json: { type: 'object', properties: { billed8: {} } } },
            },
          },
        ],
      },
    },
  },
  'cohere v1': {
    words: 5,
    messages: 3,
    body: {
      model: 'command-r',
      preamble: 'billed1',
      message: 'billed2',
      chat_history: [{ role: 'USER', message: 'billed3' }],
      documents: [{ title: 'billed4', data: { snippet: 'billed5' } }],
    },
  },
  'ollama chat': {
    words: 3,
    messages: 2,
    body: {
      model: 'llama3',
      messages: [
        { role: 'user', content: 'billed1', images: [BASE64] },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ function: { name: 'billed2', arguments: { q: 'billed3' } } }],
        },
      ],
      options: { num_ctx: 4096 },
    },
  },
  completions: {
    words: 2,
    messages: 0,
    body: { model: 'davinci-002', prompt: 'billed1', suffix: 'billed2' },
  },
  'embeddings of a list': {
    words: 2,
    messages: 0,
    body: { model: 'any', input: ['billed1', 'billed2'] },
  },
  'embeddings of a text': {
    words: 1,
    messages: 0,
    body: { model: 'text-embedding-3-small', input: 'billed1' },
  },
  'responses with a text': { words: 1, messages: 1, body: { model: 'gpt-5', input: 'billed1' } },
  'batched embedContent': {
    words: 2,
    messages: 0,
    body: {
      requests: [
        { content: { parts: [{ text: 'billed1' }] } },
        { content: { parts: [{ text: 'billed2' }] } },
      ],
    },
  },
};

describe('promptText', () => {
  test.each(Object.keys(BODIES))('%s: all that is billed, once, and nothing else', (dialect) => {
    const { body, words, messages, tools } = BODIES[dialect]!;
    const prompt = promptText(body);
    const found = prompt.text.match(/billed\d+/g) ?? [];
    expect(found.toSorted()).toEqual(
      Array.from({ length: words }, (_, i) => `billed${i + 1}`).toSorted(),
    );
    expect(prompt.messages).toBe(messages);
    expect(prompt.tools).toBe(tools ?? 0);
    expect(prompt.text).not.toMatch(
      /iVBOR|data:|https?:|gs:|END|someone|free|call_1|toolu_1|dropped/,
    );
  });

  test.each([undefined, null, 'text', 12, [], [{ messages: [] }]])('%j is no request', (body) => {
    expect(promptText(body)).toEqual({ text: '', messages: 0, tools: 0 });
  });

  test('odd shapes give no text and no error', () => {
    const { text } = promptText({
      messages: [null, 1, [[]], { content: 7 }],
      tools: [null, 'x', { function: null }],
      system: null,
      response_format: 'json',
    });
    expect(text).toBe('');
  });

  test('stops at 4 Mi characters', () => {
    const content = 'x'.repeat(3 * 1024 * 1024);
    const { text, messages } = promptText({
      messages: [{ content }, { content }, { content: 'late' }],
    });
    expect(text.length).toBeLessThanOrEqual(MAX_PROMPT_CHARS);
    expect(text.length).toBeGreaterThan(MAX_PROMPT_CHARS - 10);
    expect(text).not.toContain('late');
    expect(messages).toBe(3);
  });

  test('reads each member of a part once', () => {
    let reads = 0;
    const part = new Proxy(
      { type: 'text', text: 'billed' },
      {
        get(target, key) {
          reads++;
          return Reflect.get(target, key) as unknown;
        },
      },
    );
    promptText({ messages: [{ content: [part] }] });
    expect(reads).toBe(2);
  });

  test('survives parts and schemas nested without end', () => {
    let part: unknown = { text: 'deep' };
    let schema: unknown = { type: 'string' };
    for (let i = 0; i < 20_000; i++) {
      part = { content: [part] };
      schema = { type: 'object', properties: { child: schema } };
    }
    const { text } = promptText({
      messages: [
        { content: 'shallow' },
        part,
        { tool_calls: [{ function: { name: 'f', arguments: part } }] },
      ],
      tools: [{ name: 'nested', input_schema: schema }],
      response_format: { json_schema: { schema } },
    });
    expect(text).toContain('shallow');
    // How deep JSON.stringify gets before its stack is full differs between Nodes.
    expect(text).toContain('nested');
  });
});

describe('BoundedText', () => {
  test('keeps what fits, cuts what does not and takes nothing more', () => {
    const text = new BoundedText(10);
    for (const part of ['abcd', '', 'efghijkl', 'late']) text.add(part);
    expect(text.isFull).toBe(true);
    expect(text.toString()).toBe('abcd\nefghi');
  });
});
