import { createRouter, type Sink } from 'tokenrouter';
import { anthropic } from 'tokenrouter/adapters/anthropic';
import { openai } from 'tokenrouter/adapters/openai';
import {
  anthropicBase,
  openaiBase,
  type BenchClient,
  type ClientOptions,
  type Fetch,
} from './client.ts';

/**
 * A client over a router as an application has it, sink included. Its `close` checks that every call gave one record with
 * exact usage and an exact price: work that was not done must not look fast.
 */
export function withRouter(
  options: ClientOptions,
  make: (options: ClientOptions, fetch: Fetch) => BenchClient,
): BenchClient {
  let exact = 0;
  const sink: Sink = {
    name: 'bench',
    write(records) {
      for (const { usage, cost } of records) {
        if (usage.grade === 'exact' && cost.price === 'exact') exact++;
      }
      return Promise.resolve();
    },
  };
  const router = createRouter({
    dispatcher: options.dispatcher,
    adapters: [
      openai({ baseURL: openaiBase(options) }),
      anthropic({ baseURL: anthropicBase(options) }),
    ],
    sinks: [sink],
  });
  const client = make(options, router.fetch);
  let calls = 0;
  return {
    expected: client.expected,
    call() {
      calls++;
      return client.call();
    },
    async close() {
      await client.close();
      await router.close();
      if (exact !== calls) throw new Error(`${calls} calls gave ${exact} exact records.`);
    },
  };
}
