import OpenAI from 'openai';
import { STREAM_CHUNKS } from '../inputs/answers.ts';
import { benchRequest } from '../inputs/requests.ts';
import {
  openaiBase,
  TOTAL_TOKENS,
  type BenchClient,
  type ClientOptions,
  type Fetch,
} from './client.ts';

export function openaiClient(options: ClientOptions, fetch: Fetch | undefined): BenchClient {
  const client = new OpenAI({ apiKey: 'none', baseURL: openaiBase(options), fetch });
  const body = benchRequest(options.size).chat;
  const whole = async (): Promise<number> => {
    const { usage } = await client.chat.completions.create(body);
    return usage?.total_tokens ?? 0;
  };
  const stream = async (): Promise<number> => {
    let pieces = 0;
    for await (const chunk of await client.chat.completions.create({ ...body, stream: true })) {
      if (chunk.choices[0]!.delta.content) pieces++;
    }
    return pieces;
  };
  return {
    expected: options.isStream ? STREAM_CHUNKS : TOTAL_TOKENS,
    call: options.isStream ? stream : whole,
    close: () => Promise.resolve(),
  };
}
