import { CanonicalReader, type Node } from './canonical-reader.ts';
import type { Dialect } from './dialects/dialect.ts';
import type { Element, Facts } from './elements.ts';
import { estimateTokens } from './tokens.ts';

export type FactsOf = (text: string, value: Node) => Facts;

/** How deep the dialects look: message, content, part, content of a result, part, its type. */
export const MESSAGE_LEVELS = 6;
/** Value, parts, part, mark, lifetime. */
export const SYSTEM_LEVELS = 5;
/** One tool by itself, from its canonical text; `undefined` for malformed. */
export function readTool(text: string, { tool, toolLevels }: Dialect): Element | undefined {
  const reader = new CanonicalReader(text);
  const end = reader.value(0, 'sorted', toolLevels);
  if (end !== text.length || reader.node === undefined) return undefined;
  return elementOf(0, end, text, tool(text, reader.node));
}

/**
 * The element whose text begins at `at`; `undefined` for malformed. `base`: the offset that its own are relative to. One that
 * is not canonical is read a second time, in its canonical text.
 */
export function readElementAt(
  reader: CanonicalReader,
  base: number,
  at: number,
  read: FactsOf,
  levels: number,
): Element | undefined {
  const behind = reader.value(at, 'sorted', levels);
  if (behind < 0 || reader.node === undefined) return undefined;
  const start = at - base;
  const end = behind - base;
  const text = reader.rewritten;
  const facts = read(reader.text, reader.node);
  if (text === undefined) return elementOf(start, end, text, facts);
  const whole = wholeTool(facts, text, behind - at);
  if (whole !== undefined) return elementOf(start, end, text, whole);
  const again = new CanonicalReader(text);
  again.value(0, 'sorted', levels);
  if (again.node === undefined) return undefined;
  return elementOf(start, end, text, read(text, again.node));
}

function elementOf(start: number, end: number, text: string | undefined, facts: Facts): Element {
  const { role, isOutput, parts, omit } = facts;
  return { start, end, text, role, isOutput, parts, omit };
}

/** Facts of a rewritten tool that is one block as a whole: they need no second look. */
function wholeTool(facts: Facts, text: string, length: number): Facts | undefined {
  const [part] = facts.parts;
  if (part === undefined || facts.parts.length > 1 || facts.omit.length > 0) return undefined;
  if (part.end - part.start !== length || part.kind !== 'tool') return undefined;
  const tokens = estimateTokens(text, 0, text.length);
  return { ...facts, parts: [{ ...part, end: text.length, tokens }] };
}
