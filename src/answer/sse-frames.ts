/**
 * Where the frames of an SSE stream start and end. Lines end with LF, CR or CRLF, also mixed; an empty line ends a
 * frame (https://html.spec.whatwg.org/multipage/server-sent-events.html, read 2026-11).
 */

/** Behind the empty line that ends the frame in which `from` lies; -1 when it is not there yet. */
export function frameEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c !== LF && c !== CR) continue;
    const line = behindLineEnd(text, i);
    const next = text.charCodeAt(line);
    if (next === LF || next === CR) return behindLineEnd(text, line);
    i = line - 1;
  }
  return -1;
}

/** Behind the last empty line before `at`; `floor` when none ends behind it. The text starts where a frame starts. */
export function frameStart(text: string, at: number, floor: number): number {
  let i = at;
  while (i > floor) {
    const c = text.charCodeAt(i - 1);
    if (c !== LF && c !== CR) {
      i--;
      continue;
    }
    const isPair = c === LF && text.charCodeAt(i - 2) === CR;
    const lineEnd = isPair ? i - 2 : i - 1;
    if (lineEnd === 0) return i;
    const before = text.charCodeAt(lineEnd - 1);
    if (before === LF || before === CR) return i;
    i = lineEnd;
  }
  return floor;
}

function behindLineEnd(text: string, at: number): number {
  return text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
}

const LF = 0x0a;
const CR = 0x0d;
