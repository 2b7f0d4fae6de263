import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../types.ts';
import type { BytePairCounter } from './bpe.ts';
import { encodingForModel, loadEncoding } from './load-encoding.ts';
import type { EncodingName } from './load-encoding.ts';
import { ratioEstimate } from './ratio-estimate.ts';
import { segmentEnd } from './segments.ts';
import { TurnBudget } from './turn-budget.ts';

/** Counts tokens where a provider reported none. */
export interface TokenCounter {
  /** At once, by character class: about 10 % off for English, code and JSON, up to 40 % for other scripts. */
  estimate(text: string): number;
  /**
   * By the model's own byte pairs, in slices that leave the event loop free. Exact for OpenAI's models up to
   * 512 Ki characters (see `segments.ts` for text without any break); what lies beyond is extrapolated.
   * Never rejects: without rank tables, or with too much waiting already, it answers `estimate(text)`.
   */
  count(text: string, model?: string): Promise<number>;
}

export interface TokenCounterOptions {
  clock: Clock;
  /** Milliseconds of work per turn of the event loop, over all counts together. Default: 20. */
  budgetMs?: number | undefined;
  /** Memory for the counts of whole texts. Default: 1 MiB, about 4,000 texts. */
  maxMemoBytes?: number | undefined;
  /** Default: js-tiktoken's rank files. */
  loadEncoding?: ((name: EncodingName) => Promise<Pick<BytePairCounter, 'count'>>) | undefined;
}

/** Characters counted of one text; the slowest kinds take 0.3 s for this, in turns of `budgetMs`. */
export const MAX_COUNTED_CHARS: number = 512 * 1024;

/** Characters of texts that wait to be counted, which keeps them in memory. */
export const MAX_PENDING_CHARS: number = 8 * 1024 * 1024;

/** A key of 54 characters, a number and their places in the cache: 168 bytes measured (Node 24), with some room. */
const MEMO_ENTRY_BYTES = 256;

export function createTokenCounter(options: TokenCounterOptions): TokenCounter {
  const { clock, budgetMs = 20, maxMemoBytes = 1024 * 1024 } = options;
  const load = options.loadEncoding ?? loadEncoding;
  const budget = new TurnBudget({ clock, budgetMs });
  const memo = new LRUCache<string, number>({
    max: Math.max(1, Math.floor(maxMemoBytes / MEMO_ENTRY_BYTES)),
  });
  let pendingChars = 0;

  async function countHead(head: string, name: EncodingName): Promise<number> {
    // By digest: V8 hashes a string beyond 16 K characters by its length only, and the text would stay in memory.
    const key = await budget.run(() => `${name}:${hash('sha256', head, 'base64url')}`);
    const known = memo.get(key);
    if (known !== undefined) return known;
    const encoding = await load(name);
    let tokens = 0;
    let start = 0;
    while (start < head.length) {
      const from = start;
      const segment = await budget.run(() => {
        const end = segmentEnd(head, from);
        return { end, tokens: encoding.count(head.slice(from, end)) };
      });
      tokens += segment.tokens;
      start = segment.end;
    }
    memo.set(key, tokens);
    return tokens;
  }

  async function count(text: string, model?: string): Promise<number> {
    if (text === '') return 0;
    const headEnd = segmentEnd(text, 0, MAX_COUNTED_CHARS);
    const head = text.slice(0, headEnd);
    const counted = await countHead(head, encodingForModel(model));
    if (headEnd === text.length) return counted;
    const tokensPerEstimated = counted / ratioEstimate(head);
    return Math.round(counted + ratioEstimate(text.slice(headEnd)) * tokensPerEstimated);
  }

  return {
    estimate: ratioEstimate,
    async count(text, model) {
      if (pendingChars + text.length > MAX_PENDING_CHARS && pendingChars > 0) {
        return ratioEstimate(text);
      }
      pendingChars += text.length;
      try {
        return await count(text, model);
      } catch {
        return ratioEstimate(text);
      } finally {
        pendingChars -= text.length;
      }
    },
  };
}
