/**
 * Canonical JSON text in the plainest way: all tokens into a tree, members sorted, printed again. What the product does in
 * one pass over the text must come out the same.
 */
type Tree =
  | { kind: 'leaf'; text: string }
  | { kind: 'array'; items: Tree[] }
  | { kind: 'object'; members: Array<{ key: string; value: Tree }> };

type Order = 'sorted' | 'map' | 'kept';

const TOKEN =
  /[\t\n\r ]*([[\]{}:,]|"(?:[^"\\]|\\[\s\S])*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|true|false|null)/y;
const RANKED = ['model', 'type', 'role', 'id', 'tool_call_id', 'tool_use_id', 'call_id', 'name'];
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];
const DATA = ['default', 'const', 'enum', 'example', 'examples', 'input_examples'];
const CALL_DATA = ['input', 'args', 'response', 'arguments', 'json'];

export function plainCanonical(text: string): string | undefined {
  const tokens = tokenize(text);
  if (tokens === undefined) return undefined;
  try {
    const [tree, end] = parse(tokens, 0);
    return end === tokens.length ? print(tree, 'sorted') : undefined;
  } catch {
    return undefined;
  }
}

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) return text.slice(from).trim() === '' ? tokens : undefined;
    tokens.push(match[1]!);
  }
  return tokens;
}

function parse(tokens: readonly string[], at: number): [Tree, number] {
  const token = tokens[at];
  if (token === undefined || ':,]}'.includes(token)) throw new SyntaxError('value');
  if (token !== '[' && token !== '{') return [{ kind: 'leaf', text: token }, at + 1];
  const items: Tree[] = [];
  const members: Array<{ key: string; value: Tree }> = [];
  const close = token === '[' ? ']' : '}';
  let i = at + 1;
  if (tokens[i] === close) i++;
  else {
    do {
      let key = '';
      if (token === '{') {
        key = tokens[i]!;
        if (!key.startsWith('"')) throw new SyntaxError('key');
        JSON.parse(key);
        if (tokens[i + 1] !== ':') throw new SyntaxError('colon');
        i += 2;
      }
      const [value, end] = parse(tokens, i);
      items.push(value);
      members.push({ key, value });
      i = end + 1;
    } while (tokens[i - 1] === ',');
    if (tokens[i - 1] !== close) throw new SyntaxError('close');
  }
  return [token === '[' ? { kind: 'array', items } : { kind: 'object', members }, i];
}

function print(tree: Tree, order: Order): string {
  if (tree.kind === 'leaf') return tree.text;
  if (tree.kind === 'array') {
    return `[${tree.items.map((item) => print(item, order === 'kept' ? 'kept' : 'sorted')).join(',')}]`;
  }
  const members = [...tree.members];
  if (order === 'sorted') members.sort((a, b) => comparePlain(nameOf(a.key), nameOf(b.key)));
  return `{${members.map(({ key, value }) => `${key}:${print(value, inside(order, nameOf(key), value))}`).join(',')}}`;
}

function nameOf(key: string): string {
  return JSON.parse(key) as string;
}

export function comparePlain(a: string, b: string): number {
  const rank = (key: string): number => (RANKED.includes(key) ? RANKED.indexOf(key) : 99);
  return rank(a) - rank(b) || (a < b ? -1 : Number(a > b));
}

function inside(order: Order, key: string, value: Tree): Order {
  if (order === 'kept') return 'kept';
  if (order === 'map') return 'sorted';
  if (MAPS.includes(key)) return value.kind === 'object' ? 'map' : 'sorted';
  if (DATA.includes(key)) return 'kept';
  return CALL_DATA.includes(key) && value.kind === 'object' ? 'kept' : 'sorted';
}
