import { JsonView } from '../util/json-view.ts';
import { endsOfLongFrame, type Batch, type Framing, type FramingOptions } from './framing.ts';
import { spliceJson } from './splice-json.ts';

export interface DocumentFramingOptions extends Omit<FramingOptions, 'marks'> {
  readonly onDocument: (json: JsonView) => void;
}

/**
 * One JSON document, read when it has ended. Of one that is longer than the bound the start and the end are joined,
 * without the members in between. Anything else (an HTML page) tells nothing. The elements of an array (Gemini without `alt=sse`) are told as events.
 */
export function createDocumentFraming(options: DocumentFramingOptions): Framing {
  return {
    read({ text, gap, last }: Batch): number {
      if (!last) return 0;
      const ends = endsOfLongFrame(text, gap, options.limits);
      const view = new JsonView(ends === undefined ? text : spliceJson(...ends), true);
      const first = /\S/.exec(view.text)?.[0];
      if (first === '{') options.onDocument(view);
      for (const json of view.elements()) options.onEvent({ name: '', data: json.source, json });
      return text.length;
    },
  };
}
