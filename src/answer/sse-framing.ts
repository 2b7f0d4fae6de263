import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser';
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
import { frameEnd, frameStart } from './sse-frames.ts';

/**
 * Server-sent events. Parsing every event costs about 0.8 us each, so only the first event and the frames around a
 * mark are parsed.
 *
 * JSON that stands in the stream without `data:` (Gemini sends its errors so, seen 2026-11) is told as an event without
 * a name, behind the events of the same frame.
 */
export function createSseFraming(options: FramingOptions): Framing {
  return new SseFraming(options);
}

class SseFraming implements Framing {
  readonly #finder: MarkFinder | undefined;
  readonly #limits: FrameLimits;
  readonly #onEvent: FramingOptions['onEvent'];
  readonly #parser: EventSourceParser;
  #heard: EventSourceMessage[] = [];
  #holdsRawJson = false;
  /** The first event was told. */
  #isBegun = false;

  constructor({ marks, limits, onEvent }: FramingOptions) {
    this.#finder = marks.length === 0 ? undefined : new MarkFinder(marks);
    this.#limits = limits;
    this.#onEvent = onEvent;
    this.#parser = createParser({
      onEvent: (message) => this.#heard.push(message),
      onError: (error) => {
        if (error.type === 'unknown-field' && /^[{[]/.test(error.line ?? '')) {
          this.#holdsRawJson = true;
        }
      },
    });
    // The parser drops a byte order mark at its start; a frame in the middle of a stream must keep it.
    this.#parser.feed('\n');
  }

  read({ text, known, gap, last }: Batch): number {
    const whole = last ? text.length : wholeFrames(text, known);
    if (whole === 0) return 0;
    this.#finder?.search(text);
    for (let from = 0; from < whole;) {
      const at = this.#finder === undefined || !this.#isBegun ? from : this.#finder.next(from);
      if (at < 0 || at >= whole) break;
      const start = frameStart(text, at, from);
      let end = frameEnd(text, at);
      // Without an empty line: the last frame of all, or line ends in front of a frame that is still to come.
      if (end < 0) end = whole;
      this.#readFrame(text.slice(start, end), start === 0 ? gap : 0);
      from = end;
    }
    return whole;
  }

  #readFrame(frame: string, gap: number): void {
    const ends = endsOfLongFrame(frame, gap, this.#limits);
    if (ends !== undefined) {
      this.#readEnds(...ends);
      return;
    }
    for (const { event, data } of this.#parse(utf8OfLatin1(frame))) this.#tell(event, data);
    if (this.#holdsRawJson) this.#tellRawJson(frame);
  }

  /** A frame without its middle: what is whole in one of the two ends of its data. */
  #readEnds(head: string, tail: string): void {
    const [first] = this.#parse(head);
    const [rest] = this.#parse(`data:${tail}`);
    if (first === undefined || rest === undefined) return;
    this.#tell(first.event, utf8OfLatin1(spliceJson(first.data, rest.data)));
  }

  #parse(frame: string): EventSourceMessage[] {
    this.#heard = [];
    this.#holdsRawJson = false;
    // The frame may lack its empty line; one too many does nothing.
    this.#parser.feed(`${frame}\n\n`);
    return this.#heard;
  }

  #tell(name: string | undefined, data: string): void {
    this.#isBegun = true;
    this.#onEvent({ name: name ?? '', data, json: new JsonView(data) });
  }

  #tellRawJson(frame: string): void {
    const text = frame.slice(frame.search(/^[{[]/m));
    const view = new JsonView(text, true);
    for (const json of text.startsWith('[') ? view.elements() : [view]) {
      this.#onEvent({ name: '', data: json.source.trim(), json });
    }
  }
}

/** Behind the last frame whose empty line is there. Frames that an earlier batch left incomplete are not searched again. */
function wholeFrames(text: string, known: number): number {
  const end = frameStart(text, text.length, known);
  return end === known ? 0 : end;
}
