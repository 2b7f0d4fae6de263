import type { Dispatcher } from 'undici';
import type { BenchClient, ClientOptions, Fetch } from './client.ts';

/** Who is measured, in the order of the table. */
export const CLIENTS = [
  'undici.request',
  'undici.fetch',
  'global fetch',
  'router.fetch',
  'openai',
  'openai + router',
  '@anthropic-ai/sdk',
  '@anthropic-ai/sdk + router',
] as const;

/** The same without sockets. `bare` is the floor under all others. */
export const NULL_CLIENTS = [
  'bare',
  'undici.request',
  'undici.fetch',
  'router.fetch',
  'openai',
  'openai + router',
] as const;

export type ClientName = (typeof CLIENTS)[number] | (typeof NULL_CLIENTS)[number];

/** Loads what this client needs, and nothing that only another one needs. */
export async function createClient(name: ClientName, options: ClientOptions): Promise<BenchClient> {
  switch (name) {
    case 'bare':
      return (await import('./plain.ts')).bareClient(options, await dispatcherFor(options));
    case 'undici.request':
      return (await import('./plain.ts')).requestClient(options, await dispatcherFor(options));
    case 'undici.fetch':
      return (await import('./plain.ts')).fetchClient(options, await undiciFetch(options));
    case 'global fetch':
      return (await import('./plain.ts')).fetchClient(options, globalThis.fetch);
    case 'router.fetch':
      return withRouter(options, (await import('./plain.ts')).fetchClient);
    case 'openai': {
      // As it comes from the package. Only undici's own fetch goes without sockets.
      const fetch = options.dispatcher === undefined ? undefined : await undiciFetch(options);
      return (await import('./openai.ts')).openaiClient(options, fetch);
    }
    case 'openai + router':
      return withRouter(options, (await import('./openai.ts')).openaiClient);
    case '@anthropic-ai/sdk':
      return (await import('./anthropic.ts')).anthropicClient(options, undefined);
    case '@anthropic-ai/sdk + router':
      return withRouter(options, (await import('./anthropic.ts')).anthropicClient);
  }
}

async function withRouter(
  options: ClientOptions,
  make: (options: ClientOptions, fetch: Fetch) => BenchClient,
): Promise<BenchClient> {
  const router = await import('./with-router.ts');
  return router.withRouter(options, make);
}

async function dispatcherFor({ dispatcher }: ClientOptions): Promise<Dispatcher> {
  const { Agent } = await import('undici');
  return dispatcher ?? new Agent({ allowH2: false });
}

/** Typed as the platform's, which is typed by another copy of undici. */
async function undiciFetch(options: ClientOptions): Promise<Fetch> {
  const { fetch } = await import('undici');
  const dispatcher = await dispatcherFor(options);
  const bound = (input: string, init: object): Promise<unknown> =>
    fetch(input, { ...init, dispatcher });
  return bound as unknown as Fetch;
}
