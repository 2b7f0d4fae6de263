import type { Call } from './call.ts';

/** The source text of a top-level member of a call's body, from where it is cheapest to find. */
export function bodyMember({ prompt, json }: Call, key: string): string | undefined {
  if (prompt === undefined) return json?.raw(key);
  const span = prompt.member(key);
  return span === undefined ? undefined : prompt.slice(span.start, span.end);
}
