import { JsonView } from '../../util/json-view.ts';

/** The name that a tool is called by: its `name`, or that of its `function` (chat completions). */
export function toolName(text: string): string | undefined {
  const name = CANONICAL_START.exec(text)?.[1] ?? nameInside(text);
  return name !== undefined && name.length <= MAX_NAME ? name : undefined;
}

/** Canonical texts have the name in front; reading it there costs 0.1 us instead of 1. */
const CANONICAL_START = /^\{(?:"type":"[^"\\]*",)?(?:"function":\{)?"name":"([^"\\]*)"/;

function nameInside(text: string): string | undefined {
  const view = new JsonView(text);
  return view.firstString('name') ?? view.view('function')?.firstString('name');
}

/** Names are map keys; providers allow 64 to 128 characters. */
const MAX_NAME = 256;

/**
 * Whether the host marked the tool as the end of a prefix to be cached: `cache_control` on the tool or its `function`, or a
 * `cachePoint` in its place (Amazon Bedrock's way, which compatible hosts take).
 */
export function isMarkedTool(text: string): boolean {
  if (!MARKS.some((key) => text.includes(key))) return false;
  const view = new JsonView(text);
  const parts = [view, view.view('function')];
  return parts.some((part) => MARKS.some((key) => (part?.raw(key) ?? 'null') !== 'null'));
}

const MARKS = ['cache_control', 'cachePoint'];
