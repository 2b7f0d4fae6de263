import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { listOf, objectOf } from './json.ts';
import type { CachePiece, TokensOf } from './types.ts';

/** What is known of a block from its content alone. */
export interface BlockFacts {
  readonly id: string;
  readonly tokens: number;
  readonly pieces: readonly CachePiece[] | undefined;
}

/** What identifies a block: where it stands (role and the like), and its content as text or as a JSON value. */
export interface BlockContent {
  readonly place: string;
  readonly content: string | Readonly<Record<string, unknown>>;
}

/** A count for what is not text: an image, a sound, a document's bytes. An assumption. */
const MEDIA_TOKENS = 1500;

/** Characters of a piece: about 16 tokens. Shorter ones find a common prefix more exactly and cost more to hash. */
const PIECE_LENGTH = 64;

/** Blocks and pieces of blocks that are remembered per counter. */
const MAX_REMEMBERED = 500_000;

const remembered = new WeakMap<TokensOf, LRUCache<string, BlockFacts>>();

/**
 * The identity, tokens and, if asked for, pieces of a block's content. Benchmarks send the same history over and over: what was
 * counted once is found by its digest, as long as the same counter is used.
 */
export function blockFacts(
  { place, content }: BlockContent,
  tokensOf: TokensOf,
  withPieces: boolean,
): BlockFacts {
  const [text, kind] =
    typeof content === 'string' ? [content, 'text'] : [JSON.stringify(content), 'json'];
  const heading = `${place}\u0000${kind}\u0000`;
  const id = hash('sha256', heading + text, 'base64url');
  let memo = remembered.get(tokensOf);
  if (memo === undefined) {
    memo = new LRUCache({
      maxSize: MAX_REMEMBERED,
      sizeCalculation: ({ pieces }) => 1 + (pieces?.length ?? 0),
    });
    remembered.set(tokensOf, memo);
  }
  const known = memo.get(id);
  if (known !== undefined && (known.pieces !== undefined || !withPieces)) return known;
  const tokens = known?.tokens ?? Math.round(countTokens(content, text, tokensOf));
  const whole = isMedia(content) ? [{ id, tokens }] : undefined;
  const pieces = withPieces ? (whole ?? piecesOf(heading, text, tokens)) : undefined;
  const facts = { id, tokens, pieces };
  memo.set(id, facts);
  return facts;
}

/** About a quarter of the UTF-8 bytes, at least 1. */
export function quarterOfBytes(text: string): number {
  return Math.max(1, Math.round(Buffer.byteLength(text) / 4));
}

function countTokens(content: BlockContent['content'], text: string, tokensOf: TokensOf): number {
  if (isMedia(content)) return MEDIA_TOKENS;
  const media = typeof content === 'string' ? [] : mediaIn(content);
  if (media.length === 0) return tokensOf(text);
  const rest = JSON.stringify(content, (_, value: unknown) => (media.includes(value) ? '' : value));
  return tokensOf(rest) + media.length * MEDIA_TOKENS;
}

const MEDIA_TYPES: ReadonlySet<unknown> = new Set([
  'image',
  'image_url',
  'input_image',
  'input_audio',
  'file',
  'input_file',
]);

function isMedia(part: unknown): boolean {
  const object = objectOf(part);
  if (object === undefined) return false;
  const { type, source, inlineData, inline_data: inlineBytes, fileData, file_data: file } = object;
  const isDocument = type === 'document' && objectOf(source)?.['type'] !== 'text';
  const isGemini = [inlineData, inlineBytes, fileData, file].some((data) => objectOf(data));
  return MEDIA_TYPES.has(type) || isDocument || isGemini;
}

/** Those in the result of a tool. Elsewhere an object is data, whatever its members are called. */
function mediaIn({ content, output }: Readonly<Record<string, unknown>>): readonly unknown[] {
  return [...listOf(content), ...listOf(output)].filter(isMedia);
}

function piecesOf(heading: string, text: string, tokens: number): readonly CachePiece[] {
  const pieces: CachePiece[] = [];
  let before = 0;
  let start = 0;
  do {
    const end = Math.min(text.length, endOfPiece(text, start));
    // Of an empty text there is one piece with all of its tokens.
    const upTo = end === text.length ? tokens : Math.floor((tokens * end) / text.length);
    const said = text.slice(start, end);
    const id = hash('sha256', start === 0 ? heading + said : said, 'base64url');
    pieces.push({ id, tokens: upTo - before });
    before = upTo;
    start = end;
  } while (start < text.length);
  return pieces;
}

/** Never between the two halves of a character: they would be hashed as something else. */
function endOfPiece(text: string, start: number): number {
  const end = start + PIECE_LENGTH;
  const isSplit = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return isSplit ? end + 1 : end;
}
