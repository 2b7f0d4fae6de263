import { setImmediate as nextTurn } from 'node:timers/promises';
import { BytePairCounter } from './bpe.ts';
import { RankDecoder, tableBounds } from './rank-decoder.ts';
import { RankTable } from './rank-table.ts';

export type EncodingName = 'o200k_base' | 'cl100k_base';

/** The part of a js-tiktoken rank file that is read. */
export interface RankFile {
  /** Pattern of the pieces, for a RegExp with the `u` flag. */
  readonly pat_str: string;
  /** Lines of `<name> <first rank> <base64 token> <base64 token> …`. */
  readonly bpe_ranks: string;
}

export type ImportRanks = (name: EncodingName) => Promise<RankFile>;

const importRanks: ImportRanks = async (name) => {
  const module =
    name === 'o200k_base'
      ? await import('js-tiktoken/ranks/o200k_base')
      : await import('js-tiktoken/ranks/cl100k_base');
  return module.default;
};

/**
 * GPT-3.5, GPT-4 (not 4o, 4.1, 4.5) and OpenAI's embedding models, also behind a vendor prefix, as a fine-tune or under
 * Azure's spelling `gpt-35` (`getEncodingNameForModel` of js-tiktoken 1.0.21).
 */
const CL100K_MODEL = /(?:^|[/:.])(?:gpt-3\.?5|gpt-4(?![.\do])|text-embedding-(?:3|ada))/;

/** The encoding whose counts fit a model best; the newest one for a model of another maker. */
export function encodingForModel(model: string | undefined): EncodingName {
  return model !== undefined && CL100K_MODEL.test(model) ? 'cl100k_base' : 'o200k_base';
}

/** Loads an encoding on first use and keeps it. Concurrent callers share one load; a failed one is tried again. */
export function createEncodingLoader(
  importFile: ImportRanks,
): (name: EncodingName) => Promise<BytePairCounter> {
  const loaded = new Map<EncodingName, Promise<BytePairCounter>>();
  return function loadEncoding(name) {
    let loading = loaded.get(name);
    if (loading === undefined) {
      loading = importFile(name).then((file) => decodeRanks(file));
      loaded.set(name, loading);
      loading.catch(() => loaded.delete(name));
    }
    return loading;
  };
}

/** Shared by the whole process, which keeps what is loaded. */
export const loadEncoding: (name: EncodingName) => Promise<BytePairCounter> =
  createEncodingLoader(importRanks);

/** Characters of a rank file decoded per turn of the event loop, about 3,000 tokens. */
const MAX_DECODED_CHARS = 32 * 1024;

/** Decodes a rank file in slices of `MAX_DECODED_CHARS`, with a turn of the event loop (`yieldTurn`) between them. */
export async function decodeRanks(
  file: RankFile,
  yieldTurn: () => Promise<unknown> = nextTurn,
): Promise<BytePairCounter> {
  const { maxTokens, maxBytes } = tableBounds(file.bpe_ranks);
  const table = new RankTable(maxTokens, maxBytes);
  const decoder = new RankDecoder(file.bpe_ranks, table);
  // The import has just parsed two megabytes in one go: let others run first.
  await yieldTurn();
  while (decoder.advance(MAX_DECODED_CHARS)) await yieldTurn();
  return new BytePairCounter(table, file.pat_str);
}
