import type {
  Block,
  BlockKind,
  Edit,
  Prompt,
  PromptApi,
  Span,
  Tier,
  Ttl,
} from '../../src/prompt-cache/types.ts';

/** A JSON value and where it stands. */
interface Node extends Span {
  readonly value: unknown;
  readonly members: ReadonlyMap<string, Node>;
  readonly elements: readonly Node[];
}

/** Reads a body as blocks, the plain way: everything is parsed, and each value knows its place. */
export function promptOf(api: PromptApi, body: unknown, indent?: number): Prompt {
  const text = typeof body === 'string' ? body : JSON.stringify(body, null, indent);
  const root = readNode(text, 0);
  const blocks: Block[] = [];
  // Distinct offsets per tier show whoever forgets to add them.
  const offsets: Record<Tier, number> = {
    tools: root.members.get('tools')?.start ?? 0,
    system: (root.members.get('system') ?? root.members.get('instructions'))?.start ?? 0,
    messages: root.members.get('messages')?.start ?? root.members.get('input')?.start ?? 0,
  };
  const add = (node: Node, tier: Tier, role: string, message: number, kind?: BlockKind): void => {
    blocks.push({
      tier,
      kind: kind ?? kindOf(node),
      role,
      message,
      start: node.start - offsets[tier],
      end: node.end - offsets[tier],
      isString: typeof node.value === 'string',
      tokens: Math.max(1, Math.round((node.end - node.start) / 4)),
      mark: markOf(node),
      endsTurn: false,
    });
  };
  const addAll = (node: Node | undefined, tier: Tier, role: string, message: number): void => {
    if (node === undefined || node.value === null) return;
    if (typeof node.value === 'string') add(node, tier, role, message, 'text');
    for (const part of node.elements) add(part, tier, role, message);
  };

  for (const tool of root.members.get('tools')?.elements ?? []) add(tool, 'tools', '', -1, 'tool');
  addAll(root.members.get('system'), 'system', 'system', -1);
  addAll(root.members.get('instructions'), 'system', 'system', -1);
  const input = root.members.get('messages') ?? root.members.get('input');
  if (typeof input?.value === 'string') add(input, 'messages', 'user', 0, 'text');
  let isLeading = api !== 'messages';
  for (const [index, message] of (input?.elements ?? []).entries()) {
    const role = String(message.members.get('role')?.value ?? '');
    isLeading &&= role === 'system' || role === 'developer';
    const tier = isLeading ? 'system' : 'messages';
    if (role === '') add(message, tier, '', index, 'tool_result');
    else addAll(message.members.get('content'), tier, role, index);
    for (const call of message.members.get('tool_calls')?.elements ?? []) {
      add(call, tier, role, index, 'tool_call');
    }
  }
  return {
    api,
    text,
    offsets,
    blocks,
    end: root.end - 1,
    slice: (start, end) => text.slice(start, end),
    member: (key) => root.members.get(key),
  };
}

/** The text with its edits, which must be in order and apart. */
export function rendered(prompt: Prompt, edits: readonly Edit[]): string {
  let text = '';
  let from = 0;
  for (const { at, remove, insert } of edits) {
    if (at < from) throw new Error('edits overlap or are out of order');
    text += prompt.text.slice(from, at) + insert;
    from = at + remove;
  }
  return text + prompt.text.slice(from);
}

const KINDS: Readonly<Record<string, BlockKind>> = {
  text: 'text',
  input_text: 'text',
  output_text: 'text',
  image: 'image',
  image_url: 'image',
  input_image: 'image',
  input_audio: 'audio',
  document: 'document',
  file: 'document',
  input_file: 'document',
  tool_use: 'tool_call',
  tool_result: 'tool_result',
  thinking: 'thinking',
  redacted_thinking: 'thinking',
};

function kindOf(node: Node): BlockKind {
  return KINDS[String(node.members.get('type')?.value)] ?? 'other';
}

function markOf(node: Node): Ttl | undefined {
  if (node.members.get('prompt_cache_breakpoint')?.value != null) return '30m';
  const mark = node.members.get('cache_control');
  if (mark === undefined || mark.value === null) return undefined;
  return mark.members.get('ttl')?.value === '1h' ? '1h' : '5m';
}

function readNode(text: string, at: number): Node {
  const start = skipSpace(text, at);
  const members = new Map<string, Node>();
  const elements: Node[] = [];
  const first = text.charAt(start);
  let end = start + 1;
  if (first === '{' || first === '[') {
    const close = first === '{' ? '}' : ']';
    end = skipSpace(text, end);
    while (text.charAt(end) !== close) {
      let key: Node | undefined;
      if (first === '{') {
        key = readNode(text, end);
        end = skipSpace(text, key.end) + 1;
      }
      const node = readNode(text, end);
      if (key === undefined) elements.push(node);
      else members.set(String(key.value), node);
      end = skipSpace(text, node.end);
      if (text.charAt(end) === ',') end = skipSpace(text, end + 1);
    }
    end++;
  } else if (first === '"') {
    while (text.charAt(end) !== '"') end += text.charAt(end) === '\\' ? 2 : 1;
    end++;
  } else {
    while (/[^\s,\]}]/.test(text.charAt(end))) end++;
  }
  const value: unknown = JSON.parse(text.slice(start, end));
  return { start, end, value, members, elements };
}

function skipSpace(text: string, at: number): number {
  let i = at;
  while (/\s/.test(text.charAt(i))) i++;
  return i;
}
