import Anthropic from '@anthropic-ai/sdk';
import { ANSWER_TOKENS, STREAM_CHUNKS } from '../inputs/answers.ts';
import { benchRequest } from '../inputs/requests.ts';
import { anthropicBase, type BenchClient, type ClientOptions, type Fetch } from './client.ts';

export function anthropicClient(options: ClientOptions, fetch: Fetch | undefined): BenchClient {
  const client = new Anthropic({ apiKey: 'none', baseURL: anthropicBase(options), fetch });
  const body = benchRequest(options.size).messages;
  const whole = async (): Promise<number> => {
    const { usage } = await client.messages.create(body);
    return usage.output_tokens;
  };
  const stream = async (): Promise<number> => {
    let pieces = 0;
    for await (const event of await client.messages.create({ ...body, stream: true })) {
      if (event.type === 'content_block_delta') pieces++;
    }
    return pieces;
  };
  return {
    expected: options.isStream ? STREAM_CHUNKS : ANSWER_TOKENS.output,
    call: options.isStream ? stream : whole,
    close: () => Promise.resolve(),
  };
}
