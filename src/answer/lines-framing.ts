import { JsonView, utf8OfLatin1 } from '../util/json-view.ts';
import {
  endsOfLongFrame,
  type Batch,
  type FrameLimits,
  type Framing,
  type FramingOptions,
} from './framing.ts';
import { MarkFinder } from './mark-finder.ts';
import { spliceJson } from './splice-json.ts';

/** JSON lines: one JSON text per line (Ollama's own API). */
export function createLinesFraming(options: FramingOptions): Framing {
  return new LinesFraming(options);
}

class LinesFraming implements Framing {
  readonly #finder: MarkFinder | undefined;
  readonly #limits: FrameLimits;
  readonly #onEvent: FramingOptions['onEvent'];
  /** The first event was told. */
  #isBegun = false;

  constructor({ marks, limits, onEvent }: FramingOptions) {
    this.#finder = marks.length === 0 ? undefined : new MarkFinder(marks);
    this.#limits = limits;
    this.#onEvent = onEvent;
  }

  read({ text, known, gap, last }: Batch): number {
    const whole = last ? text.length : wholeLines(text, known);
    if (whole === 0) return 0;
    this.#finder?.search(text);
    for (let from = 0; from < whole;) {
      const at = this.#finder === undefined || !this.#isBegun ? from : this.#finder.next(from);
      if (at < 0 || at >= whole) break;
      const start = at === from ? from : Math.max(from, text.lastIndexOf('\n', at) + 1);
      const lineEnd = text.indexOf('\n', at);
      const end = lineEnd < 0 ? text.length : lineEnd + 1;
      this.#readLine(text.slice(start, end), start === 0 ? gap : 0);
      from = end;
    }
    return whole;
  }

  #readLine(line: string, gap: number): void {
    const ends = endsOfLongFrame(line, gap, this.#limits);
    const data = utf8OfLatin1(ends === undefined ? line : spliceJson(...ends)).trim();
    if (data === '') return;
    this.#isBegun = true;
    this.#onEvent({ name: '', data, json: new JsonView(data) });
  }
}

function wholeLines(text: string, known: number): number {
  return text.includes('\n', known) ? text.lastIndexOf('\n') + 1 : 0;
}
