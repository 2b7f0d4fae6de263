/** A change of a text: `remove` characters at `at` give way to `insert`. */
export interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/**
 * The text with all edits. They are sorted by place and do not overlap; those at one place are written in their order.
 * `slices`: what gives parts of the text, where something can do so without putting the text together.
 */
export function applyEdits(
  text: string,
  edits: readonly Edit[],
  slices: { slice(start: number, end: number): string } = text,
): string {
  let edited = '';
  let from = 0;
  for (const { at, remove, insert } of edits) {
    edited += slices.slice(from, at) + insert;
    from = at + remove;
  }
  return edited + slices.slice(from, text.length);
}
