/**
 * Joins the start and the end of a JSON text whose middle is missing into one well-formed text.
 *
 * The start tells which objects and arrays are open where it breaks off, the end tells which ones it closes. Both are
 * joined in the deepest of these that match: everything that stands whole in one of the two parts stays, the member
 * through which the cut goes is left out. So `{"id":"a","content":"long …` and `… text","usage":{"total":3}}` give
 * `{"id":"a","usage":{"total":3}}`. When the end closes nothing (the answer was cut off), the start alone is closed.
 */
export function spliceJson(head: string, tail: string): string {
  const opened = openContainers(head);
  const closed = closedContainers(tail);
  let depth = 0;
  while (depth < opened.length && opened[depth]?.array === closed[depth]?.array) depth++;
  const before = opened[depth - 1];
  const after = closed[depth - 1];
  if (before === undefined || after === undefined) return closeAll(head, opened);
  const comma = before.members && after.members ? ',' : '';
  return head.slice(0, before.at) + comma + tail.slice(after.at);
}

/** An object or array of which only one end is in sight, outermost first. */
interface Container {
  readonly array: boolean;
  /** Whether whole members stand on the side that is in sight. */
  members: boolean;
  /** In the start: behind the last whole member. In the end: the first whole member. */
  at: number;
}

function closeAll(head: string, opened: Container[]): string {
  const innermost = opened.at(-1);
  if (innermost === undefined) return '';
  let closers = '';
  for (const container of opened) closers = (container.array ? ']' : '}') + closers;
  return head.slice(0, innermost.at) + closers;
}

function openContainers(head: string): Container[] {
  const open: Container[] = [];
  for (let i = 0; i < head.length; i++) {
    const c = head.charCodeAt(i);
    if (c === QUOTE) {
      i = closingQuote(head, i);
      if (i < 0) break;
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      open.push({ array: c === OPEN_BRACKET, members: false, at: i + 1 });
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      open.pop();
    } else if (c === COMMA) {
      const container = open.at(-1);
      if (container !== undefined) {
        container.at = i;
        container.members = true;
      }
    }
  }
  return open;
}

/** Read backwards, because only from its end is a text without a start unambiguous. */
function closedContainers(tail: string): Container[] {
  const closed: Container[] = [];
  for (let i = tail.length - 1; i >= 0; i--) {
    const c = tail.charCodeAt(i);
    if (c === QUOTE) {
      i = openingQuote(tail, i);
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      closed.push({ array: c === CLOSE_BRACKET, members: false, at: i });
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      closed.pop();
    } else if (c === COMMA) {
      const container = closed.at(-1);
      if (container === undefined) break;
      container.at = i + 1;
      container.members = true;
    }
  }
  return closed;
}

function closingQuote(text: string, at: number): number {
  let i = at;
  do i = text.indexOf('"', i + 1);
  while (i >= 0 && isEscaped(text, i));
  return i;
}

/** -1 when the text starts inside this string. */
function openingQuote(text: string, at: number): number {
  let i = at;
  do i = i === 0 ? -1 : text.lastIndexOf('"', i - 1);
  while (i >= 0 && isEscaped(text, i));
  return i;
}

function isEscaped(text: string, at: number): boolean {
  let i = at - 1;
  while (text.charCodeAt(i) === BACKSLASH) i--;
  return ((at - 1 - i) & 1) === 1;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
