import { LRUCache } from 'lru-cache';
import { ownText, textBytes } from './own-text.ts';
import { isMarkedTool, toolName } from './tool-facts.ts';
import { toolIdentity } from './tool-identity.ts';

/** A tool as it was first seen in a scope. */
export interface KnownTool {
  /** Unique among all tools that were ever known. */
  readonly id: number;
  /** The same for a tool and its updated version; its own for a tool without a name. */
  readonly key: string;
  readonly name: string;
  /** The text that is sent for it, and for every text that differs in the order of keys alone. */
  readonly text: string;
  /** The host marked it for the prompt cache. */
  readonly isMarked: boolean;
}

export interface KnownTools {
  /** The known tool that this text means; it is known from now on. */
  recall(text: string, scope: string): KnownTool;
  clear(): void;
}

/**
 * Tools by name and length. Texts that differ in the order of keys are equally long, so the dear comparison (sorting all
 * members, 7 us a KB) is left for a tool whose name and length came before in another text: a first sight never pays it.
 */
export function createKnownTools(maxBytes: number): KnownTools {
  const known = new LRUCache<string, readonly Entry[]>({
    maxSize: maxBytes,
    sizeCalculation: (entries, key) =>
      entries.reduce((sum, { tool }) => sum + textBytes(tool.text) + ENTRY_BYTES, 2 * key.length),
  });
  let lastId = 0;

  return {
    recall(text, scope) {
      const name = toolName(text);
      const group = `${text.length} ${name?.length ?? '-'} ${name ?? ''}${scope}`;
      const entries = known.get(group) ?? [];
      const found = entries.find(({ tool }) => tool.text === text) ?? findReordered(entries, text);
      if (found !== undefined) return found.tool;

      const id = ++lastId;
      const tool: KnownTool = {
        id,
        key: name === undefined ? `#${id}` : `=${name}`,
        name: name ?? '',
        text: ownText(text),
        isMarked: isMarkedTool(text),
      };
      known.set(group, [...entries.slice(1 - MAX_VERSIONS), { tool, identity: undefined }]);
      return tool;
    },
    clear() {
      known.clear();
    },
  };
}

interface Entry {
  readonly tool: KnownTool;
  /** Filled on first use. */
  identity: string | undefined;
}

function findReordered(entries: readonly Entry[], text: string): Entry | undefined {
  if (entries.length === 0) return undefined;
  const identity = toolIdentity(text);
  return entries.find((entry) => (entry.identity ??= toolIdentity(entry.tool.text)) === identity);
}

/** Of one tool in one length. A description with a clock in it would otherwise fill the memory. */
const MAX_VERSIONS = 8;
/** Objects, digest and name beside the text. */
const ENTRY_BYTES = 300;
