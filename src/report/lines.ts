import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;
/** No record is that long; what is, is no file of records, and must not fill the memory. */
const MAX_LINE_BYTES = 256 * 2 ** 20;
const NEWLINE = 0x0a;

/**
 * The lines of a file, by their bytes: other characters that some take for the end of a line may stand in JSON. `undefined` for a
 * line that is longer than any record.
 */
export async function* linesOf(
  file: FileHandle,
  maxLineBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<string | undefined> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let parts: Buffer[] = [];
  let length = 0;
  let position = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, position);
    position += bytesRead;
    const chunk = buffer.subarray(0, bytesRead);
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      if (length === 0) yield chunk.toString('utf8', start, end);
      else {
        const rest = chunk.subarray(start, end);
        yield length + rest.length > maxLineBytes
          ? undefined
          : Buffer.concat([...parts, rest]).toString();
        parts = [];
        length = 0;
      }
      start = end + 1;
    }
    length += bytesRead - start;
    if (length > maxLineBytes) parts = [];
    // A copy: the buffer is filled again.
    else if (start < bytesRead) parts.push(Buffer.from(chunk.subarray(start)));
    if (bytesRead === 0) break;
  }
  if (length > 0) yield length > maxLineBytes ? undefined : Buffer.concat(parts).toString();
}
