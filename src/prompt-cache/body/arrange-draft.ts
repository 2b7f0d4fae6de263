import { ownText } from '../arrange/own-text.ts';
import { systemFirst } from '../arrange/system-first.ts';
import type { ToolOrder } from '../arrange/tool-order.ts';
import { truncateHistory, type TruncateOptions } from '../arrange/truncate-history.ts';
import { withArrangedDeclarations } from './arrange-declarations.ts';
import type { Body } from './body.ts';
import { textOf, type Element } from './elements.ts';
import { historyMessages } from './history-messages.ts';
import type { Draft } from './prompt-reader.ts';
import { readTool } from './read-element.ts';

export interface ArrangeDraftOptions {
  readonly toolOrder: ToolOrder;
  /** Requests that could share a prefix have the same one. */
  readonly scope: string;
  readonly systemFirst?: boolean | undefined;
  readonly history?: TruncateOptions | undefined;
}

/** Puts a draft's tools and messages in the order in which they are sent. */
export function arrangeDraft(draft: Draft, options: ArrangeDraftOptions): void {
  const tools = arrangedTools(draft, options);
  const messages = arrangedMessages(draft.body, options);
  draft.arrangement = { tools, messages };
}

function arrangedTools({ body, found }: Draft, options: ArrangeDraftOptions): readonly Element[] {
  if (body.tools.length === 0) return body.tools;
  const base = body.members[body.toolsAt]?.start ?? 0;
  const { toolOrder, scope } = options;
  let isSame = true;
  const given = body.tools.map((tool) => {
    const text = textOf(tool, body.source, base);
    const arranged = withArrangedDeclarations(text, tool, toolOrder, scope);
    if (arranged !== text) isSame = false;
    return arranged;
  });
  const { texts, order } = toolOrder.arrange(given, scope);
  if (texts === given && isSame) return body.tools;
  // The turn before had the same tools, and they came out the same: what is known of them holds.
  const before = found?.prompt.tools;
  if (before !== undefined && before !== found?.body.tools && haveTexts(before, texts))
    return before;
  return texts.map((text, place) => {
    const index = order?.[place] ?? place;
    const tool = body.tools[index];
    if (tool?.text === text) return tool;
    return readTool(ownText(text), body.dialect) ?? failed();
  });
}

function haveTexts(tools: readonly Element[], texts: readonly string[]): boolean {
  return tools.length === texts.length && tools.every(({ text }, index) => text === texts[index]);
}

function failed(): never {
  throw new TypeError('A tool is no JSON any more.');
}

function arrangedMessages(body: Body, options: ArrangeDraftOptions): readonly Element[] {
  let messages: readonly Element[] = body.messages;
  if (!body.hasMessageList) return messages;
  if (options.systemFirst === true && body.dialect.hasSystemMessages) {
    const order = systemFirst(messages.map(({ role }) => role));
    if (order !== undefined) messages = order.flatMap((index) => messages[index] ?? []);
  }
  if (options.history !== undefined) {
    const shape = { fixedTokens: fixedTokens(body), messages: historyMessages(body, messages) };
    const { drop } = truncateHistory(shape, options.history);
    if (drop !== undefined) messages = [...messages.slice(0, drop[0]), ...messages.slice(drop[1])];
  }
  return messages;
}

function fixedTokens({ tools, system }: Body): number {
  let tokens = 0;
  for (const element of system === undefined ? tools : [...tools, system]) {
    for (const part of element.parts) tokens += part.tokens;
  }
  return tokens;
}
