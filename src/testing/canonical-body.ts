/** A JSON body as its leaves: the path of every string, number, literal and empty container, and its value. */
export type Leaves = ReadonlyMap<string, string>;

/** Deeper bodies are compared as text. */
const MAX_DEPTH = 200;
const SEPARATOR = '\u0000';

/**
 * The leaves of a JSON text; `undefined` when it is not JSON. Two texts have equal leaves exactly when they mean the
 * same: white space, key order, escapes and the spelling of numbers do not count, while integers beyond 2^53 and
 * repeated keys keep all they say.
 */
export function readLeaves(text: string): Leaves | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return new LeafReader(text).read();
}

/** Takes away the leaves under any of the given paths: names joined by dots, `*` for any name or index. */
export function withoutPaths(leaves: Leaves, paths: readonly string[]): Leaves {
  const patterns = paths.map((path) => path.split('.'));
  const isIgnored = (key: string): boolean => {
    const steps = key.split(SEPARATOR).map(nameOfStep);
    return patterns.some((pattern) =>
      pattern.every((name, i) => i < steps.length && (name === '*' || name === steps[i])),
    );
  };
  return new Map([...leaves].filter(([key]) => !isIgnored(key)));
}

/**
 * Takes away what a router may add for the provider's prompt cache, because it depends on what came before: marks, cache keys
 * and modes. A lone text part that was made to carry a mark is the plain text again.
 */
export function withoutCacheMarks(leaves: Leaves): Leaves {
  const kept = new Map<string, string>();
  const inside = new Map<string, number>();
  for (const [key, value] of leaves) {
    const steps = key.split(SEPARATOR);
    if (CACHE_MEMBERS.has(steps[0] ?? '') || steps.some((step) => MARKS.has(step))) continue;
    kept.set(key, value);
    for (let i = 1; i < steps.length; i++) {
      const parent = steps.slice(0, i).join(SEPARATOR);
      inside.set(parent, (inside.get(parent) ?? 0) + 1);
    }
  }
  for (const [parent, count] of inside) {
    const part = `${parent}${SEPARATOR}0${SEPARATOR}`;
    const text = kept.get(`${part}"text"`);
    const type = kept.get(`${part}"type"`);
    if (count !== 2 || text === undefined || !TEXT_TYPES.has(type ?? '')) continue;
    kept.delete(`${part}"text"`);
    kept.delete(`${part}"type"`);
    kept.set(parent, text);
  }
  return kept;
}

const MARKS: ReadonlySet<string> = new Set(['"cache_control"', '"prompt_cache_breakpoint"']);
const CACHE_MEMBERS: ReadonlySet<string> = new Set([
  '"prompt_cache_key"',
  '"prompt_cache_options"',
  '"prompt_cache_retention"',
]);
const TEXT_TYPES: ReadonlySet<string> = new Set(['"text"', '"input_text"']);

/** One text for all bodies that mean the same. */
export function canonicalText(leaves: Leaves): string {
  return [...leaves]
    .map(([key, value]) => `${key}${SEPARATOR}${SEPARATOR}${value}`)
    .sort()
    .join('\n');
}

/** Where two bodies differ, as paths of at most two steps: `messages.2`, `temperature`. Names only, never values. */
export function differingMembers(a: Leaves, b: Leaves): string[] {
  const found = new Set<string>();
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    if (a.get(key) === b.get(key)) continue;
    found.add(key.split(SEPARATOR).slice(0, 2).map(nameOfStep).join('.'));
  }
  return [...found];
}

/** A step is a member's name in JSON quotes, with the count behind it when it is repeated, or an index. */
function nameOfStep(step: string): string {
  if (!step.startsWith('"')) return step;
  return String(JSON.parse(step.slice(0, step.lastIndexOf('"') + 1)));
}

/** Walks a text that is known to be valid JSON. */
class LeafReader {
  readonly #text: string;
  readonly #leaves = new Map<string, string>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Leaves | undefined {
    return this.#value([]) ? this.#leaves : undefined;
  }

  #value(path: readonly string[]): boolean {
    if (path.length > MAX_DEPTH) return false;
    switch (this.#peek()) {
      case '{':
        return this.#object(path);
      case '[':
        return this.#array(path);
      case '"':
        this.#leaf(path, JSON.stringify(JSON.parse(this.#string())));
        return true;
      default:
        this.#leaf(path, canonicalScalar(this.#scalar()));
        return true;
    }
  }

  #object(path: readonly string[]): boolean {
    const seen = new Map<string, number>();
    this.#at++;
    while (this.#peek() !== '}') {
      const name = JSON.stringify(JSON.parse(this.#string()));
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      this.#skip(':');
      if (!this.#value([...path, count === 1 ? name : `${name}${count}`])) return false;
      this.#skip(',');
    }
    this.#at++;
    if (seen.size === 0) this.#leaf(path, '{}');
    return true;
  }

  #array(path: readonly string[]): boolean {
    let length = 0;
    this.#at++;
    while (this.#peek() !== ']') {
      if (!this.#value([...path, String(length++)])) return false;
      this.#skip(',');
    }
    this.#at++;
    if (length === 0) this.#leaf(path, '[]');
    return true;
  }

  #leaf(path: readonly string[], value: string): void {
    this.#leaves.set(path.join(SEPARATOR), value);
  }

  /** The next character that is not white space. */
  #peek(): string {
    while (' \t\r\n'.includes(this.#text.charAt(this.#at))) this.#at++;
    return this.#text.charAt(this.#at);
  }

  #skip(mark: ',' | ':'): void {
    if (this.#peek() === mark) this.#at++;
  }

  #string(): string {
    this.#peek();
    const start = this.#at;
    let end = start;
    let backslashes: number;
    do {
      end = this.#text.indexOf('"', end + 1);
      backslashes = 0;
      while (this.#text.charAt(end - 1 - backslashes) === '\\') backslashes++;
    } while (backslashes % 2 === 1);
    this.#at = end + 1;
    return this.#text.slice(start, this.#at);
  }

  #scalar(): string {
    SCALAR.lastIndex = this.#at;
    const [source = ''] = SCALAR.exec(this.#text) ?? [];
    this.#at += source.length;
    return source;
  }
}

const SCALAR = /[-+.\w]+/y;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/;

/** `true`, `false` and `null` as they are; numbers without the freedom of spelling, digit by digit. */
function canonicalScalar(source: string): string {
  const parts = NUMBER.exec(source);
  if (parts === null) return source;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const scale = BigInt(exponent) - BigInt(fraction.length - (digits.length - significant.length));
  return `${sign}${significant}e${scale}`;
}
