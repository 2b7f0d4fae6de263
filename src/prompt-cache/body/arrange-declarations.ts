import type { ToolOrder } from '../arrange/tool-order.ts';
import type { Element } from './elements.ts';

/**
 * The text of a tool with the functions that it declares in their stable order, and all its other members as they are;
 * Gemini declares all of a request's functions in one tool. The very text that was given where nothing changes.
 */
export function withArrangedDeclarations(
  text: string,
  { parts }: Element,
  toolOrder: ToolOrder,
  scope: string,
): string {
  const [first] = parts;
  const last = parts.at(-1);
  if (first === undefined || last === undefined) return text;
  const isWhole = first.start === 0 && first.end === text.length;
  if (isWhole) return text;
  const given = parts.map(({ start, end }) => text.slice(start, end));
  const { texts } = toolOrder.arrange(given, `${scope} declarations`);
  if (texts === given) return text;
  return text.slice(0, first.start) + texts.join(',') + text.slice(last.end);
}
