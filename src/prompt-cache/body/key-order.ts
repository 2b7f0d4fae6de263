import { BACKSLASH, OPEN_BRACE, QUOTE, SPACE } from '../../util/json-scan.ts';

/**
 * Which order the members of an object get, and where the order that was sent stays.
 *
 * - `sorted`: the ranked keys first, then all others by UTF-16 code units (RFC 8785, section 3.2.3).
 * - `map`: members keep their order, their values are sorted inside. Names of a JSON schema's properties: models write
 *   structured output in the order in which they read them.
 * - `kept`: everything keeps its order, at every depth. Data: an example, or what a model wrote itself.
 */
export type MemberOrder = 'sorted' | 'map' | 'kept';

/** A key that means something to the reader. */
export interface KeyName {
  readonly name: string;
  /** Its place among the ranked keys; `UNRANKED` behind them. */
  readonly rank: number;
  /** The order inside its value. */
  readonly inside: MemberOrder;
  /** `inside` holds for objects alone; other values are sorted. */
  readonly objectsOnly: boolean;
}

/**
 * In front of all others, in this order: SDKs and providers' answers write most objects so, and these bodies are then
 * canonical already; and with `role` in front of `content` a prefix can end inside of a message.
 */
const RANKED = ['model', 'type', 'role', 'id', 'tool_call_id', 'tool_use_id', 'call_id', 'name'];
export const UNRANKED: number = RANKED.length;

/** Members of a JSON schema that map names to schemas (JSON Schema 2020-12, Core 10.3.2 and Validation appendix). */
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];
/** Members of a JSON schema or tool that hold data. */
const DATA = ['default', 'const', 'enum', 'example', 'examples', 'input_examples'];
/** Data of tool calls and results, where it is an object: `input` is also OpenAI's name for a list of items. */
const CALL_DATA = ['input', 'args', 'response', 'arguments', 'json'];
/** Not ordered in any way of their own, but read by the dialects. */
const READ = (
  'tools functions function system messages instructions systemInstruction system_instruction contents content parts ' +
  'text tool_calls function_call cache_control prompt_cache_breakpoint ttl source output thought ' +
  'functionDeclarations function_declarations functionCall functionResponse function_response inlineData inline_data ' +
  'fileData file_data mimeType mime_type executableCode executable_code codeExecutionResult code_execution_result ' +
  'image document video toolUse toolResult reasoningContent'
).split(' ');

const NAMES: ReadonlyMap<string, KeyName> = new Map(
  [...RANKED, ...MAPS, ...DATA, ...CALL_DATA, ...READ].map((name) => [
    name,
    {
      name,
      rank: RANKED.includes(name) ? RANKED.indexOf(name) : UNRANKED,
      inside: MAPS.includes(name) ? 'map' : isData(name) ? 'kept' : 'sorted',
      objectsOnly: MAPS.includes(name) || CALL_DATA.includes(name),
    },
  ]),
);

function isData(name: string): boolean {
  return DATA.includes(name) || CALL_DATA.includes(name);
}

/** By length and first character, so that most keys that are not known are told by one look. */
const BY_SHAPE: ReadonlyArray<readonly KeyName[] | undefined> = Array.from(
  { length: shapeOf(32, 0) },
  (_, shape) => {
    const names = [...NAMES.values()];
    const known = names.filter(({ name }) => shapeOf(name.length, name.charCodeAt(0)) === shape);
    return known.length === 0 ? undefined : known;
  },
);

function shapeOf(length: number, first: number): number {
  return length * 32 + (first & 31);
}

/** The known key between two offsets of a text; it has no escapes. */
function keyAt(text: string, start: number, end: number): KeyName | undefined {
  if (end - start >= 32) return undefined;
  const candidates = BY_SHAPE[shapeOf(end - start, text.charCodeAt(start))];
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) {
    if (standsAt(text, start, candidate.name)) return candidate;
  }
  return undefined;
}

function standsAt(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if (text.charCodeAt(at + i) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** Where a key stands in a text, and what it is known as. */
export interface Key {
  /** Offsets with its quotes. */
  keyStart: number;
  keyEnd: number;
  name: KeyName | undefined;
  /** As JSON.parse reads it, where its text has escapes. */
  decoded: string | undefined;
}

/** Reads a key from its opening quote to behind its closing one; -1 for malformed. */
export function readKey(text: string, at: number, key: Key): number {
  let hasEscape = false;
  let i = at + 1;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) break;
    // Also the end of the text, which is no number.
    if (!(c >= SPACE)) return -1;
    if (c === BACKSLASH) {
      hasEscape = true;
      i++;
    }
    i++;
  }
  key.keyStart = at;
  key.keyEnd = i + 1;
  key.decoded = undefined;
  if (!hasEscape) {
    key.name = keyAt(text, at + 1, i);
    return i + 1;
  }
  key.decoded = decode(text.slice(at, i + 1));
  key.name = key.decoded === undefined ? undefined : NAMES.get(key.decoded);
  return key.decoded === undefined ? -1 : i + 1;
}

/** The order inside the value of a member of an object that has `order`. `first`: the value's first character. */
export function orderInside(
  order: MemberOrder,
  name: KeyName | undefined,
  first: number,
): MemberOrder {
  if (order !== 'sorted') return order === 'kept' ? 'kept' : 'sorted';
  if (name === undefined || (name.objectsOnly && first !== OPEN_BRACE)) return 'sorted';
  return name.inside;
}

/** Below zero when `a` comes first; zero for equal keys, which stay as they are. */
export function compareKeys(text: string, a: Key, b: Key): number {
  const rankA = a.name === undefined ? UNRANKED : a.name.rank;
  const rankB = b.name === undefined ? UNRANKED : b.name.rank;
  if (rankA !== rankB || rankA !== UNRANKED) return rankA - rankB;
  if (a.decoded !== undefined || b.decoded !== undefined) {
    return compareNames(decodedKey(text, a), decodedKey(text, b));
  }
  const lengthA = a.keyEnd - a.keyStart - 1;
  const lengthB = b.keyEnd - b.keyStart - 1;
  const length = Math.min(lengthA, lengthB);
  for (let i = 1; i < length; i++) {
    const difference = text.charCodeAt(a.keyStart + i) - text.charCodeAt(b.keyStart + i);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

export function decodedKey(text: string, { keyStart, keyEnd, name, decoded }: Key): string {
  return name?.name ?? decoded ?? text.slice(keyStart + 1, keyEnd - 1);
}

export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function decode(source: string): string | undefined {
  try {
    const value: unknown = JSON.parse(source);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
