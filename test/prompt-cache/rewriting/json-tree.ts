/**
 * JSON texts as trees that keep every character of keys, strings and numbers, read by a strict reader of its own: what is
 * compared here owes nothing to the code under test.
 */

export type Tree = Scalar | List | Record_;

interface Scalar {
  readonly kind: 'scalar';
  /** As written. */
  readonly raw: string;
}

interface List {
  readonly kind: 'list';
  readonly items: readonly Tree[];
}

interface Record_ {
  readonly kind: 'object';
  readonly members: readonly Member[];
}

export interface Member {
  /** As written, with its quotes. */
  readonly rawKey: string;
  readonly key: string;
  readonly value: Tree;
}

const TOKEN =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;

/** `undefined` for everything that RFC 8259 does not allow. */
export function readTree(text: string): Tree | undefined {
  TOKEN.lastIndex = 0;
  let token = next();
  function next(): string | undefined {
    const match = TOKEN.exec(text);
    return match === null ? undefined : (match[1] ?? match[2] ?? match[3]);
  }
  function fail(): never {
    throw new SyntaxError('no JSON');
  }
  function value(): Tree {
    if (token === '{') {
      const members: Member[] = [];
      token = next();
      if (token === '}') return { kind: 'object', members };
      for (;;) {
        if (token?.startsWith('"') !== true) return fail();
        const rawKey: string = token;
        if (next() !== ':') fail();
        token = next();
        members.push({ rawKey, key: String(JSON.parse(rawKey)), value: value() });
        token = next();
        if (token === '}') return { kind: 'object', members };
        if (token !== ',') fail();
        token = next();
      }
    }
    if (token === '[') {
      const items: Tree[] = [];
      token = next();
      if (token === ']') return { kind: 'list', items };
      for (;;) {
        items.push(value());
        token = next();
        if (token === ']') return { kind: 'list', items };
        if (token !== ',') fail();
        token = next();
      }
    }
    if (token === undefined || '}],:'.includes(token)) return fail();
    return { kind: 'scalar', raw: token };
  }
  try {
    const tree = value();
    return /^[ \t\n\r]*$/.test(text.slice(TOKEN.lastIndex)) ? tree : undefined;
  } catch {
    return undefined;
  }
}

/** The value of a member; of several the last. */
export function at(tree: Tree | undefined, key: string): Tree | undefined {
  if (tree?.kind !== 'object') return undefined;
  return tree.members.findLast((member) => member.key === key)?.value;
}

export function itemsOf(tree: Tree | undefined): readonly Tree[] {
  return tree?.kind === 'list' ? tree.items : [];
}

/** A string's value; `undefined` for anything else. */
export function stringOf(tree: Tree | undefined): string | undefined {
  if (tree?.kind !== 'scalar' || !tree.raw.startsWith('"')) return undefined;
  return String(JSON.parse(tree.raw));
}

/** One text for all trees that differ in the order of members alone; members with equal keys keep theirs. */
export function sortedText(tree: Tree): string {
  if (tree.kind === 'scalar') return tree.raw;
  if (tree.kind === 'list') return `[${tree.items.map(sortedText).join(',')}]`;
  const members = [...tree.members].sort((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -1 : 1));
  return `{${members.map(({ rawKey, value }) => `${rawKey}:${sortedText(value)}`).join(',')}}`;
}

/** As it stands, without white space. */
export function compactText(tree: Tree): string {
  if (tree.kind === 'scalar') return tree.raw;
  if (tree.kind === 'list') return `[${tree.items.map(compactText).join(',')}]`;
  return `{${tree.members.map(({ rawKey, value }) => `${rawKey}:${compactText(value)}`).join(',')}}`;
}
