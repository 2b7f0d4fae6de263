import { at, compactText, itemsOf, sortedText, type Member, type Tree } from './json-tree.ts';

/** A mark that is in the sent body and was not in the given one. */
export interface AddedMark {
  /** Keys and indexes from the body's root to the block in the sent body. */
  readonly path: ReadonlyArray<string | number>;
  readonly key: string;
  readonly value: string;
  /** The block was a string and had to become a part. */
  readonly wasString: boolean;
}

export interface Differences {
  readonly marks: readonly AddedMark[];
  /** Members of the root that were added or filled in. */
  readonly members: readonly string[];
  /** What must not be. */
  readonly faults: readonly string[];
}

const MARKS = new Set(['cache_control', 'prompt_cache_breakpoint']);
const ROOT_MEMBERS = new Set([
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'stream_options',
]);
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];
const DATA = ['default', 'const', 'enum', 'example', 'examples', 'input_examples'];
const CALL_DATA = ['input', 'args', 'response', 'arguments', 'json'];

type Order = 'any' | 'map' | 'kept';

/** How a sent body differs from the one that was given, and which of it is none of the named exceptions. */
export function differences(given: Tree, sent: Tree): Differences {
  const marks: AddedMark[] = [];
  const members: string[] = [];
  const faults: string[] = [];
  compare(given, sent, [], 'any');
  return { marks, members, faults };

  function fault(path: ReadonlyArray<string | number>, what: string): void {
    faults.push(`${path.join('.')}: ${what}`);
  }

  function compare(a: Tree, b: Tree, path: ReadonlyArray<string | number>, order: Order): void {
    if (a.kind === 'scalar' && b.kind === 'scalar') {
      if (a.raw !== b.raw) fault(path, `${a.raw} became ${b.raw}`);
      return;
    }
    if (a.kind === 'scalar' && isMarkedString(a.raw, b)) {
      const part = itemsOf(b)[0];
      for (const { key, value } of part?.kind === 'object' ? part.members : []) {
        if (MARKS.has(key)) {
          marks.push({ path: [...path, 0], key, value: compactText(value), wasString: true });
        }
      }
      return;
    }
    if (a.kind === 'list' && b.kind === 'list') {
      if (!a.items.some(isCachePoint) && b.items.some(isCachePoint)) {
        compare(a, { ...b, items: b.items.filter((item) => !isCachePoint(item)) }, path, order);
        return;
      }
      if (a.items.length !== b.items.length) {
        fault(path, `${a.items.length} items became ${b.items.length}`);
        return;
      }
      const inside = order === 'kept' ? 'kept' : 'any';
      const isTools =
        (path.length === 1 && (path[0] === 'tools' || path[0] === 'functions')) ||
        (path.length === 3 && path[0] === 'tools' && DECLARATIONS.has(String(path[2])));
      const partners = isTools ? pairs(a.items, b.items) : a.items;
      b.items.forEach((item, i) => {
        const partner = partners[i];
        if (partner === undefined) fault([...path, i], 'a tool that was not given');
        else compare(partner, item, [...path, i], isTools ? 'any' : inside);
      });
      return;
    }
    if (a.kind !== 'object' || b.kind !== 'object') {
      fault(path, `${a.kind} became ${b.kind}`);
      return;
    }
    const left = [...a.members];
    const isRoot = path.length === 0;
    for (const { key, rawKey, value } of b.members) {
      const index = left.findIndex((member) => member.key === key);
      const partner = left[index];
      if (partner === undefined) {
        if (!isRoot && MARKS.has(key) && order !== 'kept') {
          marks.push({ path, key, value: compactText(value), wasString: false });
        } else if (isRoot && ROOT_MEMBERS.has(key)) members.push(key);
        else fault(path, `new member ${rawKey}`);
        continue;
      }
      left.splice(index, 1);
      if (partner.rawKey !== rawKey) fault(path, `key ${partner.rawKey} became ${rawKey}`);
      if (isRoot && ROOT_MEMBERS.has(key) && compactText(partner.value) !== compactText(value)) {
        if (!mayFillIn(partner, value)) fault([key], 'the value of the host was changed');
        members.push(key);
        continue;
      }
      compare(partner.value, value, [...path, key], orderInside(order, key, partner.value));
    }
    for (const { rawKey } of left) fault(path, `lost member ${rawKey}`);
    const isInTools = path[0] === 'tools' || path[0] === 'functions';
    if (order !== 'any' && !isInTools) {
      const kept = (list: readonly Member[]): string => list.map(({ rawKey }) => rawKey).join(',');
      if (kept(a.members) !== kept(b.members))
        fault(path, 'members moved whose order means something');
    }
  }
}

/** For each sent tool the given one that it is, whatever the order and the marks. */
function pairs(given: readonly Tree[], sent: readonly Tree[]): Array<Tree | undefined> {
  const left = [...given];
  return sent.map((tool) => {
    const text = toolText(tool);
    let index = left.findIndex((other) => toolText(other) === text);
    if (index < 0) {
      const bare = toolText(withoutMarks(tool));
      index = left.findIndex((other) => toolText(withoutMarks(other)) === bare && !isMarked(other));
    }
    return index < 0 ? undefined : left.splice(index, 1)[0];
  });
}

/** Gemini declares functions in a list within a tool. */
const DECLARATIONS = new Set(['functionDeclarations', 'function_declarations']);

/** The same for every order of the functions that a tool declares. */
function toolText(tool: Tree): string {
  if (tool.kind !== 'object') return sortedText(tool);
  const members = tool.members.map((member): Member => {
    const { key, value } = member;
    if (!DECLARATIONS.has(key) || value.kind !== 'list') return member;
    const sorted = value.items.map((item) => sortedText(item)).sort();
    return { ...member, value: { kind: 'scalar', raw: sorted.join() } };
  });
  return sortedText({ kind: 'object', members });
}

function isMarked(tree: Tree): boolean {
  return tree.kind === 'object' && tree.members.some(({ key }) => MARKS.has(key));
}

function withoutMarks(tree: Tree): Tree {
  if (tree.kind !== 'object') return tree;
  return { kind: 'object', members: tree.members.filter(({ key }) => !MARKS.has(key)) };
}

function orderInside(order: Order, key: string, value: Tree): Order {
  if (order === 'kept') return 'kept';
  if (order === 'map') return 'any';
  if (DATA.includes(key)) return 'kept';
  if (value.kind !== 'object') return 'any';
  if (CALL_DATA.includes(key)) return 'kept';
  return MAPS.includes(key) ? 'map' : 'any';
}

/** One text part with the very same literal, and a mark beside it. */
function isMarkedString(raw: string, value: Tree): boolean {
  const items = itemsOf(value);
  const part = items[0];
  if (!raw.startsWith('"') || items.length !== 1 || part?.kind !== 'object') return false;
  const keys = part.members.map(({ key }) => key);
  const type = compactText(at(part, 'type') ?? part);
  return (
    keys.length === 3 &&
    keys.some((key) => MARKS.has(key)) &&
    (type === '"text"' || type === '"input_text"') &&
    compactText(at(part, 'text') ?? part) === raw
  );
}

/** `null` may be filled in, and an object may get one more member or its `include_usage`. */
function mayFillIn(before: Member, after: Tree): boolean {
  const { value, key } = before;
  if (compactText(value) === 'null') return true;
  if (value.kind !== 'object' || after.kind !== 'object') return false;
  const extra = key === 'stream_options' ? 'include_usage' : 'mode';
  const rest = (tree: typeof value): string =>
    sortedText({ kind: 'object', members: tree.members.filter((member) => member.key !== extra) });
  return rest(value) === rest(after);
}

/** Bedrock Converse has its marks as items of their own. */
function isCachePoint(item: Tree): boolean {
  return (
    item.kind === 'object' && item.members.length === 1 && item.members[0]?.key === 'cachePoint'
  );
}
