import { at, itemsOf, stringOf, type Tree } from './json-tree.ts';

export type Format = 'claude' | 'openai-chat' | 'openai-responses' | 'openrouter' | 'none';

interface Place {
  readonly block: Tree;
  readonly role: string;
  readonly tier: 'tools' | 'system' | 'messages';
  readonly path: ReadonlyArray<string | number>;
}

/** Every place of a body where a mark can stand, in cache order, nested ones before the block that they are in. */
function places(body: Tree): Place[] {
  const found: Place[] = [];
  const content = (value: Tree | undefined, at_: Omit<Place, 'block'>): void => {
    itemsOf(value).forEach((block, i) => {
      const path = [...at_.path, i];
      for (const key of ['content', 'output'])
        content(at(block, key), { ...at_, path: [...path, key] });
      content(at(at(block, 'source'), 'content'), { ...at_, path: [...path, 'source', 'content'] });
      found.push({ ...at_, block, path });
    });
  };
  itemsOf(at(body, 'tools')).forEach((block, i) => {
    found.push({ block, role: '', tier: 'tools', path: ['tools', i] });
    const inner = at(block, 'function');
    if (inner !== undefined) {
      found.push({ block: inner, role: '', tier: 'tools', path: ['tools', i, 'function'] });
    }
  });
  content(at(body, 'system'), { role: 'system', tier: 'system', path: ['system'] });
  for (const key of ['messages', 'input']) {
    itemsOf(at(body, key)).forEach((message, i) => {
      const role = stringOf(at(message, 'role')) ?? '';
      const path = [key, i];
      const tier = 'messages';
      content(at(message, 'content'), { role, tier, path: [...path, 'content'] });
      content(at(message, 'output'), { role, tier, path: [...path, 'output'] });
      found.push({ block: message, role, tier, path });
    });
  }
  return found;
}

function markOn(block: Tree, key: string): Tree | undefined {
  const mark = at(block, key);
  return mark?.kind === 'object' ? mark : undefined;
}

/** The lifetimes of all marks, in cache order; the automatic one is last. */
export function lifetimes(body: Tree): string[] {
  const list = places(body).flatMap(({ block }) => {
    const mark = markOn(block, 'cache_control');
    return mark === undefined ? [] : [stringOf(at(mark, 'ttl')) ?? '5m'];
  });
  const automatic = markOn(body, 'cache_control');
  return automatic === undefined ? list : [...list, stringOf(at(automatic, 'ttl')) ?? '5m'];
}

export function breakpoints(body: Tree): number {
  return places(body).filter(({ block }) => markOn(block, 'prompt_cache_breakpoint')).length;
}

/** No hour behind five minutes. */
export function isLegalOrder(list: readonly string[]): boolean {
  return !list.some((ttl, i) => ttl === '1h' && list.slice(0, i).includes('5m'));
}

const CLAUDE_BLOCKS = new Set([
  'text',
  'image',
  'document',
  'search_result',
  'tool_use',
  'tool_result',
  'server_tool_use',
  'web_search_tool_result',
  'web_fetch_tool_result',
  'code_execution_tool_result',
  'bash_code_execution_tool_result',
  'text_editor_code_execution_tool_result',
  'tool_search_tool_result',
]);

/** Why a mark at this place of the sent body would be answered with 400; `undefined` where it is taken. */
export function whyNot(
  body: Tree,
  path: ReadonlyArray<string | number>,
  format: Format,
): string | undefined {
  const place = places(body).find((one) => one.path.join('.') === path.join('.'));
  if (place === undefined) return 'no block';
  const { block, role, tier } = place;
  const type = stringOf(at(block, 'type'));
  const isInContent = path.includes('content') || path[0] === 'system';
  const text = stringOf(at(block, 'text'));
  if (type === 'text' || type === 'input_text') {
    if (text === undefined || text.trim() === '') return 'blank text';
  }
  switch (format) {
    case 'none':
      return 'the provider knows no marks';
    case 'claude':
      if (tier === 'tools') {
        const deferred = at(block, 'defer_loading');
        const isDeferred = deferred?.kind === 'scalar' && deferred.raw === 'true';
        return isDeferred ? 'deferred tool' : path.length === 2 ? undefined : 'inside of a tool';
      }
      if (!isInContent) return 'on a message';
      if (path.length > (tier === 'system' ? 2 : 4)) return 'nested';
      if (tier === 'messages' && role !== 'user' && role !== 'assistant') return `role ${role}`;
      return CLAUDE_BLOCKS.has(type ?? '') ? undefined : `type ${type}`;
    case 'openrouter':
      if (tier === 'tools' || !isInContent) return 'not a part';
      if (role === 'tool') return 'role tool';
      return type === 'text' ? undefined : `type ${type}`;
    case 'openai-chat':
    case 'openai-responses': {
      if (tier === 'tools' || !isInContent || path.length !== 4) return 'not a part';
      if (!['user', 'system', 'developer'].includes(role)) return `role ${role}`;
      const types =
        format === 'openai-chat'
          ? ['text', 'image_url', 'input_audio', 'file']
          : ['input_text', 'input_image', 'input_file'];
      return types.includes(type ?? '') ? undefined : `type ${type}`;
    }
  }
}
