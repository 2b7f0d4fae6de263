import { describe, expect, test } from 'vitest';
import { isSigned } from '../../src/http/is-signed.ts';

describe('isSigned', () => {
  test.each([
    ['Authorization', 'AWS4-HMAC-SHA256 Credential=x'],
    ['authorization', ' aws4-ecdsa-p256-sha256 Credential=x'],
    ['Content-MD5', 'x'],
    ['content-digest', 'sha-256=:x:'],
    ['repr-digest', 'sha-256=:x:'],
    ['Digest', 'sha-256=x'],
  ])('%s: %s', (name, value) => {
    expect(isSigned({ headers: ['accept', '*/*', name, value], url: 'https://x/' })).toBe(true);
  });

  test.each(['https://x/?X-Amz-Signature=a', 'https://x/?a=b&x-amz-signature=a'])('%s', (url) => {
    expect(isSigned({ headers: [], url })).toBe(true);
  });

  test.each([
    [['authorization', 'Bearer AWS4-x'], 'https://x/?a=b'],
    [['x-digest', 'x', 'accept', 'AWS4-HMAC-SHA256'], 'https://x/x-amz-signature=a'],
    [[], 'https://x/?not-x-amz-signature=a'],
  ])('not: %j %s', (headers, url) => {
    expect(isSigned({ headers, url })).toBe(false);
  });
});
