/**
 * Names the price source knows only as "everything that begins like this", spelled out: released models whose own
 * price is the one of the entry. Snapshots dated `YYYY-MM-DD` or `YYYYMMDD` need no line here.
 */
export const namesToAdd: ReadonlyArray<
  readonly [provider: string, id: string, names: readonly string[]]
> = [
  ['anthropic', 'claude-2', ['claude-2.0', 'claude-2.1']],
  ['anthropic', 'claude-3-5-sonnet', ['claude-3-5-sonnet-latest']],
  ['gcp.gemini', 'gemini-2.0-flash', ['gemini-2.0-flash-thinking-exp-01-21']],
  ['gcp.gemini', 'gemini-2.5-flash-lite', ['gemini-2.5-flash-lite-preview-06-17']],
  ['gcp.gemini', 'gemini-2.5-flash-lite', ['gemini-2.5-flash-lite-preview-09-2025']],
  [
    'gcp.gemini',
    'gemini-2.5-pro',
    [
      'gemini-2.5-pro-preview-03-25',
      'gemini-2.5-pro-preview-05-06',
      'gemini-2.5-pro-preview-06-05',
    ],
  ],
  [
    'mistral_ai',
    'magistral-medium',
    ['magistral-medium-2506', 'magistral-medium-2507', 'magistral-medium-2509'],
  ],
  [
    'mistral_ai',
    'magistral-small',
    ['magistral-small-2506', 'magistral-small-2507', 'magistral-small-2509'],
  ],
  ['mistral_ai', 'magistral-medium', ['magistral-medium-latest']],
  ['mistral_ai', 'magistral-small', ['magistral-small-latest']],
  ['openai', 'computer-use', ['computer-use-preview']],
];
