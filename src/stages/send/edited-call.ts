import type { Call } from '../../call.ts';
import type { RequestBody } from '../../http/read-request.ts';
import { applyEdits } from '../../util/edit.ts';
import { withoutHeader } from '../../util/header-list.ts';

/** Body and headers as they go out, with the edits of the stages. The transport counts the length anew. */
export function edited({ body, headers, edits, prompt }: Call): {
  body: RequestBody;
  headers: readonly string[];
} {
  if (edits.length === 0 || typeof body !== 'string') return { body, headers };
  // A rewritten body becomes one string when the transport reads it, and not here before the edits.
  const slices = prompt?.text === body ? prompt : body;
  return {
    body: applyEdits(body, edits, slices),
    headers: withoutHeader(headers, 'content-length'),
  };
}
