import type {
  CacheRules,
  Lifetime,
  Prompt,
  PromptCaching,
  Salts,
} from '../../src/prompt-cache/types.ts';
import { bodyModel, memberEdits, memberText, salt, type NewMember } from './body-members.ts';

/** A cache that keeps whatever was sent: what helps is a stable layout, and at most a key by which calls are routed. */
interface LayoutCaching {
  readonly rules: PromptCaching['rules'];
  /** Default: the model alone. */
  readonly salts?: ((prompt: Prompt) => Salts) | undefined;
  /** Whether this request may carry `prompt_cache_key`. Default: none may. */
  readonly takesKey?: ((prompt: Prompt) => boolean) | undefined;
  /** Default: never. */
  readonly handsOff?: ((prompt: Prompt) => boolean) | undefined;
}

export function layoutCaching(layout: LayoutCaching): PromptCaching {
  return {
    rules: layout.rules,
    salts: layout.salts ?? modelSalts,
    canMark: () => false,
    hostMode: (prompt) => (layout.handsOff?.(prompt) === true ? { handsOff: true } : {}),
    edits(prompt, { key }) {
      if (layout.handsOff?.(prompt) === true || layout.takesKey?.(prompt) !== true) return [];
      return memberEdits(prompt, keyMember(prompt, key));
    },
  };
}

/** What only the model tells apart. */
function modelSalts(prompt: Prompt): Salts {
  return { tools: salt({ model: bodyModel(prompt) }), system: '', messages: '' };
}

/** What a cache without marks and without a price for writing is like. */
export function prefixRules(kept: {
  readonly minTokens: number;
  readonly read: number;
  readonly lifetime: Omit<Lifetime, 'write'>;
}): CacheRules {
  const { minTokens, read, lifetime } = kept;
  return {
    writes: 'prefix',
    minTokens,
    read,
    lifetimes: [{ ...lifetime, write: 1 }],
    maxMarks: 0,
    lookback: 0,
  };
}

/** Longer keys are answered with 400 (OpenAI, errors quoted in public reports, 2026-06 to 2026-09). */
const MAX_KEY_LENGTH = 64;

/** `prompt_cache_key`, unless the host has one of its own. */
export function keyMember(prompt: Prompt, key: string | undefined): readonly NewMember[] {
  if (key === undefined || key === '' || key.length > MAX_KEY_LENGTH) return [];
  if (memberText(prompt, 'prompt_cache_key') !== undefined) return [];
  return [['prompt_cache_key', JSON.stringify(key)]];
}
