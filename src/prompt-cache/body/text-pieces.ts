/**
 * A text made of slices of a source and of other strings, put together only when the whole is asked for: a fresh string of
 * 500 KB costs 250 us, most of it for new memory. Slices that stand side by side in the source become one, so what leaves
 * the source as it is gives the very same string.
 */
export class TextPieces {
  readonly #source: string;
  readonly #pieces: string[] = [];
  /** Where each piece begins in the text. */
  readonly #starts: number[] = [];
  #length = 0;
  /** The slice of the source that may still grow. */
  #from = -1;
  #to = -1;
  /** A character that waits for what follows it. */
  #pending = '';
  #whole: string | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  get length(): number {
    return this.#length;
  }

  /** A slice of the source. */
  span(start: number, end: number): void {
    this.#length += end - start;
    if (start === this.#to) {
      this.#to = end;
      return;
    }
    this.#endSlice();
    this.#from = start;
    if (this.#pending !== '') {
      if (this.#source.charCodeAt(start - 1) === this.#pending.charCodeAt(0)) this.#from--;
      else this.#push(this.#pending);
      this.#pending = '';
    }
    this.#to = end;
  }

  /** One character between two others. */
  mark(character: string): void {
    this.#length++;
    if (this.#to >= 0 && this.#source.charCodeAt(this.#to) === character.charCodeAt(0)) {
      this.#to++;
      return;
    }
    this.#endSlice();
    if (this.#pending !== '') this.#push(this.#pending);
    this.#pending = character;
  }

  /** Another string. */
  string(text: string): void {
    this.#length += text.length;
    this.#endSlice();
    if (this.#pending !== '') this.#push(this.#pending);
    this.#pending = '';
    this.#push(text);
  }

  /** Nothing is added after this. */
  end(): void {
    this.#endSlice();
    if (this.#pending !== '') this.#push(this.#pending);
    this.#pending = '';
    if (this.#pieces.length === 1) this.#whole = this.#pieces[0];
  }

  /** Whether it is the source, the very same string. */
  get isSource(): boolean {
    return this.#whole === this.#source;
  }

  toString(): string {
    if (this.#whole === undefined) {
      let whole = '';
      for (const piece of this.#pieces) whole += piece;
      this.#whole = whole;
    }
    return this.#whole;
  }

  /** Part of the text, without putting it together. */
  slice(start: number, end: number): string {
    let at = this.#pieceAt(start);
    const next = this.#starts[at + 1];
    if (next === undefined || end <= next) {
      const from = this.#starts[at] ?? 0;
      return this.#pieces[at]?.slice(Math.max(0, start - from), end - from) ?? '';
    }
    let text = '';
    for (; at < this.#pieces.length; at++) {
      const piece = this.#pieces[at] ?? '';
      const from = this.#starts[at] ?? 0;
      if (from >= end) break;
      text += piece.slice(Math.max(0, start - from), end - from);
    }
    return text;
  }

  #pieceAt(offset: number): number {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #endSlice(): void {
    if (this.#to < 0) return;
    this.#push(this.#source.slice(this.#from, this.#to));
    this.#from = -1;
    this.#to = -1;
  }

  #push(piece: string): void {
    const last = this.#pieces.length - 1;
    this.#starts.push((this.#starts[last] ?? 0) + (this.#pieces[last]?.length ?? 0));
    this.#pieces.push(piece);
  }
}
