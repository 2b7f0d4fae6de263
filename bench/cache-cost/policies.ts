/** Who sets cache marks, and where. */
import type { ContentBlock, MessagesBody } from './bodies.ts';

export const POLICIES = ['none', 'automatic', 'system + last', 'litellm-style', 'ours'] as const;
export type Policy = (typeof POLICIES)[number];

const MARK = { cache_control: { type: 'ephemeral' } } as const;
/** Marks that Anthropic takes in one request (prompt caching guide, 2026-10). */
const MAX_MARKS = 4;

/** The body as an application sends it that follows the policy. */
export function withPolicy(policy: Policy, body: MessagesBody): MessagesBody {
  switch (policy) {
    case 'none':
    case 'ours':
      return body;
    case 'automatic':
      return { ...body, ...MARK };
    case 'system + last':
      return systemAndLast(body);
    case 'litellm-style':
      return byRole(body);
  }
}

/** The last block of the system prompt and the last block of all, as LangChain's middleware and others mark them. */
function systemAndLast(body: MessagesBody): MessagesBody {
  const last = body.messages.length - 1;
  return markMessages(markSystem(body), (index) => index === last);
}

/**
 * The system prompt, then messages that a user wrote, the first first, until no mark is left: LiteLLM's
 * `cache_control_injection_points` with the roles `system` and `user`. Results of tools have a role of their own there.
 * Its points by index (`-1`) and its automatic mode come to the same as `system + last`.
 */
function byRole(body: MessagesBody): MessagesBody {
  const marked = markSystem(body);
  let left = MAX_MARKS - (marked === body ? 0 : 1);
  return markMessages(marked, (index) => {
    const message = body.messages[index];
    const isMarked = left > 0 && message?.role === 'user' && !hasResult(message.content);
    if (isMarked) left -= 1;
    return isMarked;
  });
}

function hasResult(content: string | readonly ContentBlock[]): boolean {
  return typeof content !== 'string' && content.some(({ type }) => type === 'tool_result');
}

function markSystem(body: MessagesBody): MessagesBody {
  return body.system === undefined ? body : { ...body, system: markLast(body.system) };
}

function markMessages(body: MessagesBody, isMarked: (index: number) => boolean): MessagesBody {
  return {
    ...body,
    messages: body.messages.map((message, index) => {
      if (!isMarked(index)) return message;
      const { role, content } = message;
      const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
      return { role, content: markLast(blocks) };
    }),
  };
}

function markLast(blocks: readonly ContentBlock[]): ContentBlock[] {
  return blocks.map((block, index) =>
    index === blocks.length - 1 ? { ...block, ...MARK } : block,
  );
}
