import type { Call } from '../call.ts';

/**
 * Whether a request carries proof of what its body is, so that it must go out as it came: AWS Signature Version 4 and 4A, in
 * a header or in the URL (AWS Signature Version 4 for API requests), or a digest of the body (RFC 1864, 3230 and 9530).
 */
export function isSigned({ headers, url }: Pick<Call, 'headers' | 'url'>): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? '';
    if (DIGESTS.has(name)) return true;
    if (name === 'authorization' && /^\s*AWS4-/i.test(headers[i + 1] ?? '')) return true;
  }
  return SIGNED_URL.test(url);
}

const DIGESTS: ReadonlySet<string> = new Set([
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
]);

const SIGNED_URL = /[?&]x-amz-signature=/i;
