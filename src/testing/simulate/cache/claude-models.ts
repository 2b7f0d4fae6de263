/** Versions of a family and how many tokens the shortest prefix has that they keep. */
type Minimums = Readonly<Record<string, number>>;

/**
 * Prompt caching guide, 2026-08-22; versions 5.1 and 5.5: reports of its edition of 2026-10. Haiku 5.5 and Fable 5.2 are not
 * documented.
 */
const MINIMUMS: Readonly<Record<string, Minimums>> = {
  opus: {
    '4': 1024,
    '4.1': 1024,
    '4.5': 4096,
    '4.6': 4096,
    '4.7': 2048,
    '4.8': 1024,
    '5': 512,
    '5.5': 512,
  },
  sonnet: { '4': 1024, '4.5': 1024, '4.6': 1024, '5': 1024, '5.5': 512 },
  haiku: { '3.5': 2048, '4.5': 4096 },
  fable: { '5': 512, '5.1': 512 },
  mythos: { preview: 2048, '5': 512, '5.1': 512 },
};

/** The greatest documented one: a read that is promised falsely is worse than one that is missed. */
const UNKNOWN_MINIMUM = 4096;

/** Bedrock, where it differs (AWS agent toolkit, prompt caching reference, 2026-08-20). */
const BEDROCK_SONNET_4_6 = 2048;

/** The shortest prefix in tokens that a Claude model keeps. Bedrock's names (`anthropic.claude-…`) have Bedrock's. */
export function minimumOfClaude(model: string | undefined): number {
  const { family, version } = claudeOf(model);
  const isBedrock = model?.includes('anthropic.') === true;
  if (isBedrock && family === 'sonnet' && version === '4.6') return BEDROCK_SONNET_4_6;
  return MINIMUMS[family]?.[version] ?? UNKNOWN_MINIMUM;
}

/**
 * Whether thinking of earlier turns stays in the prompt: from Opus 4.5 and Sonnet 4.6 on, with no Haiku (prompt caching guide,
 * 2026-08-22). Assumed of models that are not known.
 */
export function keepsThinking(model: string | undefined): boolean {
  const { family, version } = claudeOf(model);
  const number = Number(version);
  if (family === 'haiku') return false;
  if (family === 'opus') return !(number < 4.5);
  if (family === 'sonnet') return !(number < 4.6);
  return true;
}

/** `claude-opus-4-5-20251101`, `us.anthropic.claude-sonnet-4-6-v1:0`, `claude-opus-4.8`, `claude-mythos-preview`. */
const FAMILY_FIRST = /claude-([a-z]+)-(preview|\d{1,2}(?!\d))(?:[-.](\d{1,2})(?!\d))?/;
/** `claude-3-5-haiku-20241022`, `claude-3-opus-20240229`. */
const VERSION_FIRST = /claude-(\d{1,2})(?:[-.](\d{1,2}))?-([a-z]+)/;

function claudeOf(model = ''): { family: string; version: string } {
  const [, family = '', major, minor] = FAMILY_FIRST.exec(model) ?? [];
  if (major !== undefined) return { family, version: versionOf(major, minor) };
  const [, oldMajor, oldMinor, oldFamily = ''] = VERSION_FIRST.exec(model) ?? [];
  if (oldMajor === undefined) return { family: '', version: '' };
  return { family: oldFamily, version: versionOf(oldMajor, oldMinor) };
}

function versionOf(major: string, minor: string | undefined): string {
  return minor === undefined || minor === '0' ? major : `${major}.${minor}`;
}
