import { decodeBytes } from './fixture.ts';
import { applyEdits, endsOf, findEdits, moveEnds, redactionMarker } from './text-edits.ts';
import type { Redactor } from './text-edits.ts';

/** A letter or digit before a match means that it is a part of something else, unless it ends a JSON or URL escape. */
const START = /(?<=^|[^A-Za-z0-9]|\\[bfnrt]|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})/.source;

/** How credentials look. The prefixes are the providers' own, as documented or seen in recordings by 2026-11. */
const SECRET_SHAPES: readonly RegExp[] = [
  // What a header of this scheme carries; the digit tells it from prose.
  /(?<=[Bb](?:earer|EARER)\s+)(?=[A-Za-z_.~+/-]*\d)[\w.~+/-]{8,}=*/,
  // Credentials in URLs that a text quotes, such as signed links to files.
  /(?<=(?:[?&]|\\u0026)(?:key|api[-_]?key|access_token|token|[Ss]ig|[Ss]ignature)=)[^&\s"'\\]{8,}/,
  // OpenAI, Anthropic, OpenRouter, DeepSeek and others; also half masked, as error messages quote them.
  /sk[-_][\w*-]{8,}/,
  // Google: API keys old and new, and OAuth tokens.
  /(?:AIza|AQ\.)[\w-]{16,}/,
  /ya29\.[\w.-]{8,}/,
  // GitHub.
  /(?:gh[opsur]_|github_pat_)\w{8,}/,
  // AWS key ids.
  /A(?:KI|SI)A[0-9A-Z]{12,}/,
  // xAI, Groq, NVIDIA, Perplexity, Hugging Face, Cerebras, Replicate, Fireworks, Together, Slack; Voyage.
  /(?:xai-|gsk_|nvapi-|pplx-|hf_|csk-|r8_|fw_|tgp_v1_|xox[abeoprs]-)[\w-]{16,}/,
  /pa-\w{16,}/,
  // JSON web tokens, with or without a signature.
  /eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?/,
  // OpenAI organisation and project ids.
  /(?:org-|proj_)[A-Za-z0-9]{12,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----/,
];
/** All in one, so that a body is searched once. */
const SECRETS: readonly RegExp[] = [
  new RegExp(`${START}(?:${SECRET_SHAPES.map(({ source }) => source).join('|')})`, 'g'),
];

const SECRET_HEADER =
  /^(?:set-)?cookie$|authorization$|(?:^|[-_])(?:auth|api[-_]?key|apikey|key|token|secret|password|signature|credential|(?:session|org|organi[sz]ation|project|account)(?:[-_]id)?)$/i;
const SECRET_QUERY =
  /^x-amz-|(?:^|[-_])(?:auth|api[-_]?key|apikey|key|token|secret|password|sig|signature|credential|code)$/i;
/** Tokens that say where to go on in a list. */
const PAGE_QUERY = /page|next|continuation/i;
/** Google Cloud projects and Cloudflare accounts stand in the path. */
const ACCOUNT_IN_PATH = /(?<=\/(?:projects|accounts)\/)[^/]+/g;
/** Shorter values are words as likely as secrets, and replacing them everywhere would spoil the recording. */
const MIN_SECRET_LENGTH = 8;

/** Removes secrets from the parts of one exchange. */
export interface ExchangeRedaction {
  url(url: string): string;
  headers(headers: Headers): Record<string, string>;
  /** A body, and the lengths of its chunks after the change. */
  body(bytes: Uint8Array, chunks: readonly number[]): { bytes: Uint8Array; chunks: number[] };
}

/**
 * The redaction for one exchange. Beside what looks like a secret anywhere, the values that this request's own headers
 * and query carry as credentials are removed wherever they turn up again. `false` keeps everything.
 */
export function exchangeRedaction(
  request: { url: string; headers: Headers },
  extra: readonly Redactor[] | false,
): ExchangeRedaction {
  if (extra === false) {
    return {
      url: (url) => url,
      headers: (headers) => Object.fromEntries(headers),
      body: (bytes, chunks) => ({ bytes, chunks: [...chunks] }),
    };
  }
  const redactors = [...ownSecrets(request), ...SECRETS, ...extra];
  return {
    url: (url) => redactUrl(url, redactors),
    headers: (headers) =>
      Object.fromEntries(
        [...headers].map(([name, value]) => [
          name,
          isSecretHeader(name) ? redactionMarker : redactText(value, redactors),
        ]),
      ),
    body: (bytes, chunks) => redactBody(bytes, chunks, redactors),
  };
}

/** Removes what looks like a secret from a text that belongs to no exchange. */
export function redactText(text: string, redactors: readonly Redactor[] = SECRETS): string {
  return redactors.reduce(
    (current, redactor) => applyEdits(current, findEdits(current, redactor)),
    text,
  );
}

/** Whether a query parameter carries a credential. */
export function isSecretQuery(name: string): boolean {
  return SECRET_QUERY.test(name) && !PAGE_QUERY.test(name);
}

function isSecretHeader(name: string): boolean {
  // x-ratelimit-limit-project-tokens and its like count; they tell nothing about the account.
  return SECRET_HEADER.test(name) && !/rate-?limit/i.test(name);
}

function ownSecrets({ url, headers }: { url: string; headers: Headers }): RegExp[] {
  const carried = [
    ...[...headers].filter(([name]) => isSecretHeader(name)),
    ...[...new URL(url).searchParams].filter(([name]) => isSecretQuery(name)),
  ];
  const values = carried
    .flatMap(([name, value]) => (name === 'cookie' ? value.split(/; |=/) : [value]))
    .map((value) => value.replace(/^(?:basic|bearer)\s+/i, ''))
    .filter((value) => value.length >= MIN_SECRET_LENGTH)
    .flatMap((value) => [value, encodeURIComponent(value)])
    // A value that holds another one goes first, or a part of it would stay.
    .sort((a, b) => b.length - a.length);
  return values.map(
    (value) => new RegExp(value.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`), 'g'),
  );
}

function redactUrl(source: string, redactors: readonly Redactor[]): string {
  const url = new URL(source);
  for (const name of new Set(url.searchParams.keys())) {
    if (isSecretQuery(name)) url.searchParams.set(name, redactionMarker);
  }
  url.pathname = redactText(url.pathname.replaceAll(ACCOUNT_IN_PATH, redactionMarker), redactors);
  // The host stays: it may share a word with an account's name, and without it nothing matches.
  return `${url.origin}${url.pathname}${redactText(url.search, redactors)}`;
}

function redactBody(
  bytes: Uint8Array,
  chunks: readonly number[],
  redactors: readonly Redactor[],
): { bytes: Uint8Array; chunks: number[] } {
  const { text, binary } = decodeBytes(bytes);
  const encoding = binary ? 'latin1' : 'utf8';
  let current = text;
  let ends = endsOf(chunks);
  for (const redactor of redactors) {
    const edits = findEdits(current, redactor);
    if (edits.length === 0) continue;
    ends = moveEnds(ends, current, edits, encoding);
    current = applyEdits(current, edits);
  }
  if (current === text) return { bytes, chunks: [...chunks] };
  const redacted = Buffer.from(current, encoding);
  // What was added behind the last chunk belongs to it.
  ends = [...ends.slice(0, -1).map((end) => Math.min(end, redacted.length)), redacted.length];
  const lengths = chunks.map((_, i) => ends[i]! - (ends[i - 1] ?? 0));
  return { bytes: redacted, chunks: lengths };
}
