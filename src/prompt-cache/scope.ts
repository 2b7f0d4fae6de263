import { hash } from 'node:crypto';

/** Headers that say whose account pays. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'openai-organization',
  'openai-project',
]);

/** Names for what shares a prompt cache: the requests of one account to one host and model. */
export interface Scopes {
  /** A short name, the same for the same account, host and model. It says nothing of the credentials. */
  of(origin: string, model: string, headers: readonly string[]): string;
}

/** Nothing is kept of the credentials. */
export function createScopes(): Scopes {
  return {
    of(origin, model, headers) {
      let account = '';
      for (let i = 0; i < headers.length; i += 2) {
        if (CREDENTIALS.has(headers[i]!.toLowerCase())) account += `${headers[i + 1]!}\n`;
      }
      const name = hash('sha256', account, 'base64url').slice(0, 8);
      return `${name} ${origin} ${model} `;
    },
  };
}
