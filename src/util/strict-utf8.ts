/**
 * The text of UTF-8 bytes; `undefined` where they are none. A byte order mark stays in the text, so that such a body is not
 * JSON and goes out as it came.
 */
export function textOfUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return undefined;
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
