/** Collects texts, one per line, up to a number of characters; what comes later is left out. */
export class BoundedText {
  readonly #maxChars: number;
  readonly #parts: string[] = [];
  #chars = 0;

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  get isFull(): boolean {
    return this.#chars >= this.#maxChars;
  }

  add(text: string): void {
    const room = this.#maxChars - this.#chars;
    if (text === '' || room <= 0) return;
    const part = text.length > room ? text.slice(0, room) : text;
    this.#parts.push(part);
    this.#chars += part.length + 1;
  }

  toString(): string {
    return this.#parts.join('\n');
  }
}
