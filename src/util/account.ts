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

/** A short name, the same for the same credentials. It says nothing of them. */
export function accountOf(headers: readonly string[]): string {
  let credentials = '';
  for (let i = 0; i < headers.length; i += 2) {
    if (CREDENTIALS.has(headers[i]!.toLowerCase())) credentials += `${headers[i + 1]!}\n`;
  }
  if (credentials !== last.credentials) last = { credentials, name: nameOf(credentials) };
  return last.name;
}

function nameOf(credentials: string): string {
  return hash('sha256', credentials, 'base64url').slice(0, 8);
}

/** Most processes use one key. Hashing it for each call would take 1 to 3 us. */
let last = { credentials: '', name: nameOf('') };
