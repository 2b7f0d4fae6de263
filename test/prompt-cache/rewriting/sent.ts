/** A router above a transport that keeps what is sent, and answers like the provider. */
import { createRouter, type Router, type RouterOptions } from '../../../src/index.ts';
import {
  createVirtualClock,
  simulateProvider,
  type VirtualClock,
} from '../../../src/testing/index.ts';

export type Provider = 'anthropic' | 'openai' | 'deepseek' | 'gemini';

export type GivenBody = NonNullable<RequestInit['body']>;

export interface Sent {
  readonly url: string;
  readonly headers: Headers;
  /** The very value that the transport was given. */
  readonly body: unknown;
  /** What the simulated provider answered. */
  readonly status: number;
}

export interface Rig {
  readonly router: Router;
  readonly clock: VirtualClock;
  /** Sends a body and gives what reached the transport. */
  post(url: string, body: GivenBody, headers?: Record<string, string>): Promise<Sent>;
}

export function createRig(provider: Provider, options: RouterOptions = {}): Rig {
  const clock = createVirtualClock();
  const simulated = simulateProvider({ provider, now: () => clock.now() });
  let last: Sent | undefined;
  const capture: typeof fetch = async (input, init) => {
    const isRequest = input instanceof Request;
    const body: unknown = isRequest ? undefined : init?.body;
    const url = isRequest ? input.url : String(input);
    const bytes = body instanceof Uint8Array ? body : new Uint8Array();
    const text = typeof body === 'string' ? body : new TextDecoder().decode(bytes);
    const response = await simulated(url, { method: 'POST', body: text });
    last = { url, headers: new Headers(init?.headers), body, status: response.status };
    return response;
  };
  const router = createRouter({ fetch: capture, clock, ...options });
  return {
    router,
    clock,
    async post(url, body, headers = { 'content-type': 'application/json' }) {
      last = undefined;
      const response = await router.fetch(url, { method: 'POST', headers, body });
      await response.text();
      if (last === undefined) throw new Error('nothing was sent');
      return last;
    },
  };
}
