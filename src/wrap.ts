import { RouterError } from './errors.ts';

type Fetch = typeof globalThis.fetch;

/** The copy that `withOptions` makes is of the client's own class. */
interface Copyable<Client> {
  withOptions(options: { fetch: Fetch }): Client;
}

/**
 * A copy of an SDK client whose calls go through `fetch`. Works for every client with the official SDKs' own
 * `withOptions` (openai, @anthropic-ai/sdk and their Azure, Bedrock and Vertex variants).
 */
export function wrapClient<Client>(client: Client, fetch: Fetch): Client {
  if (!isCopyable(client)) {
    throw new RouterError(
      'ERR_OPTIONS',
      'router.wrap expected a client with withOptions({ fetch }), such as one of openai or @anthropic-ai/sdk; ' +
        `got ${describe(client)}. Give router.fetch to the client's own fetch option instead.`,
    );
  }
  return client.withOptions({ fetch });
}

function isCopyable<Client>(client: Client): client is Client & Copyable<Client> {
  return (
    typeof client === 'object' &&
    client !== null &&
    'withOptions' in client &&
    typeof client.withOptions === 'function'
  );
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object'
    ? `a ${value.constructor?.name ?? 'object'}`
    : `a ${typeof value}`;
}

/** The `fetch` a client was made with. The official SDKs keep their options in `_options`. */
export function ownFetchOf(client: unknown): Fetch | undefined {
  if (typeof client !== 'object' || client === null || !('_options' in client)) return undefined;
  const options = client._options;
  if (typeof options !== 'object' || options === null || !('fetch' in options)) return undefined;
  return isFetch(options.fetch) ? options.fetch : undefined;
}

function isFetch(value: unknown): value is Fetch {
  return typeof value === 'function';
}
