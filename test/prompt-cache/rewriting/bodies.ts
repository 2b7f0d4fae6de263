/** Random request bodies as texts, within and beyond what the formats allow. */
import type { Random } from '../../../src/types.ts';

export type Dialect = 'chat' | 'responses' | 'messages' | 'gemini';

export interface Conversation {
  /** The bodies of its turns, each with the messages of the one before it and more. */
  readonly turns: readonly string[];
}

export interface BodyOptions {
  readonly dialect: Dialect;
  /** Absent where the URL names it. */
  readonly model?: string | undefined;
  /** Share of members and values that no provider knows. */
  readonly wild: number;
  readonly turns: number;
  /** Whether the host sets marks of its own. */
  readonly hostMarks: boolean;
}

export interface Bodies {
  /** Conversations of one agent: they have tools and system prompt in common. */
  agent(options: BodyOptions, conversations: number): Conversation[];
}

export function createBodies(random: Random): Bodies {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const chance = (share: number): boolean => random() < share;
  const count = (max: number): number => Math.floor(random() * (max + 1));
  const shuffled = <T>(list: readonly T[]): T[] =>
    list
      .map((item) => [random(), item] as const)
      .sort((a, b) => a[0] - b[0])
      .map(([, item]) => item);
  let spacing = 0;
  const space = (): string => (chance(spacing) ? pick([' ', '\n', '\t', '\r\n', '  ']) : '');
  const object = (members: ReadonlyArray<readonly [string, string] | undefined>): string => {
    const texts = members
      .filter((member) => member !== undefined)
      .map(([key, value]) => `${space()}${keyText(key)}${space()}:${space()}${value}${space()}`);
    return `{${texts.length === 0 ? space() : texts.join(',')}}`;
  };
  const list = (items: readonly string[]): string =>
    `[${items.length === 0 ? space() : items.map((item) => space() + item + space()).join(',')}]`;
  const keyText = (key: string): string =>
    chance(0.01) && key !== ''
      ? `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}"`
      : JSON.stringify(key);

  let serial = 0;
  const WORDS = [
    'plain',
    'größe',
    '数据',
    '🙂',
    'a"b',
    'back\\slash',
    '\u0007',
    'cache_control',
    '{"x":1}',
  ];
  const words = (length: number): string =>
    Array.from({ length }, () => pick(WORDS)).join(' ') + ` ${serial++}`;
  const string = (): string =>
    chance(0.1)
      ? pick([
          '""',
          '" "',
          '"\\ud800"',
          '"\\u0061\\/"',
          '"\ud800"',
          '"\\n"',
          '"\\"cache_control\\":{}"',
        ])
      : JSON.stringify(words(count(6)));
  const long = (): string => JSON.stringify(words(150 + count(900)));
  const number = (): string =>
    pick([
      '0',
      '-0',
      '1',
      '1.0',
      '1e400',
      '12345678901234567890123',
      '0.1e-7',
      '1E+2',
      '-0.0',
      '3.14',
    ]);
  const scalar = (): string => pick([string, number, () => 'null', () => 'true', () => 'false'])();
  const KEYS = [
    'a',
    'B',
    '',
    '__proto__',
    'constructor',
    'type',
    'role',
    'id',
    'name',
    'ä',
    '\u2028',
    'text',
    'properties',
    'enum',
    'input',
    'z',
  ];
  const any = (depth = 0): string => {
    if (depth > 4 || chance(0.5)) return scalar();
    if (chance(0.4)) return list(Array.from({ length: count(3) }, () => any(depth + 1)));
    const members = Array.from({ length: count(4) }, () => [pick(KEYS), any(depth + 1)] as const);
    return object(members);
  };

  const schema = (depth = 0): string => {
    const names = shuffled([
      'zeta',
      'alpha',
      'type',
      'enum',
      'properties',
      'name',
      '10',
      '2',
      '__proto__',
    ]);
    const inner = names.slice(0, 1 + count(4)).map((name): [string, string] => [
      name,
      depth > 2 || chance(0.6)
        ? object([
            ['type', '"string"'],
            chance(0.3)
              ? [
                  'enum',
                  list([
                    any(),
                    object([
                      ['z', '1'],
                      ['a', '2'],
                    ]),
                  ]),
                ]
              : undefined,
            chance(0.3)
              ? [
                  'default',
                  object([
                    ['z', number()],
                    ['a', any()],
                  ]),
                ]
              : undefined,
            chance(0.2)
              ? [
                  'examples',
                  list([
                    object([
                      ['y', '1'],
                      ['b', '2'],
                    ]),
                  ]),
                ]
              : undefined,
            ['description', string()],
          ])
        : schema(depth + 1),
    ]);
    return object(
      shuffled<[string, string] | undefined>([
        ['type', '"object"'],
        ['properties', object(inner)],
        chance(0.5) ? ['required', list(inner.map(([name]) => JSON.stringify(name)))] : undefined,
        chance(0.3)
          ? [
              '$defs',
              object([
                ['Zed', '{"type":"string"}'],
                ['Abc', '{}'],
              ]),
            ]
          : undefined,
        chance(0.3) ? ['additionalProperties', 'false'] : undefined,
        chance(0.2) ? ['anyOf', list([depth > 2 ? '{}' : schema(depth + 1)])] : undefined,
      ]),
    );
  };

  return {
    agent(options, conversations) {
      spacing = chance(0.4) ? 0 : random() * 0.6;
      const { dialect, hostMarks, wild } = options;
      const isClaude = options.model?.includes('claude') === true;
      let marksLeft = hostMarks ? 1 + count(3) : 0;
      const mark = (): [string, string] | undefined => {
        if (marksLeft === 0 || !chance(0.3)) return undefined;
        marksLeft--;
        if (isClaude)
          return [
            'cache_control',
            pick(['{"type":"ephemeral"}', '{"ttl":"5m","type":"ephemeral"}']),
          ];
        return ['prompt_cache_breakpoint', '{"mode":"explicit"}'];
      };
      const extra = (): [string, string] | undefined =>
        chance(wild)
          ? [pick(['x_unknown', 'annotations', '__proto__', 'zz', 'metadata']), any()]
          : undefined;
      const members = (...all: ReadonlyArray<[string, string] | undefined>): string =>
        object(chance(0.6) ? [...all, extra()] : shuffled([...all, extra()]));

      const textType = dialect === 'responses' ? 'input_text' : 'text';
      const textPart = (isLong: boolean): string =>
        dialect === 'gemini'
          ? members(['text', isLong ? long() : string()])
          : members(['type', `"${textType}"`], ['text', isLong ? long() : string()], mark());
      const otherPart = (): string =>
        pick<() => string>(
          {
            chat: [
              () =>
                members(
                  ['type', '"image_url"'],
                  ['image_url', object([['url', '"data:image/png;base64,AAAA"']])],
                  chance(0.5) && !isClaude ? mark() : undefined,
                ),
              () =>
                members(
                  ['type', '"input_audio"'],
                  [
                    'input_audio',
                    object([
                      ['format', '"wav"'],
                      ['data', '"AAAA"'],
                    ]),
                  ],
                ),
              () => members(['type', '"mystery"'], ['data', any()]),
            ],
            responses: [
              () =>
                members(['type', '"input_image"'], ['image_url', '"data:image/png;base64,AAAA"']),
              () => members(['type', '"input_file"'], ['file_id', string()]),
              () => members(['type', '"mystery"'], ['data', any()]),
            ],
            messages: [
              () =>
                members(
                  ['type', '"image"'],
                  [
                    'source',
                    object([
                      ['type', '"base64"'],
                      ['media_type', '"image/png"'],
                      ['data', '"AAAA"'],
                    ]),
                  ],
                  mark(),
                ),
              () =>
                members(
                  ['type', '"document"'],
                  [
                    'source',
                    object([
                      ['type', '"content"'],
                      ['content', list([object([['type', '"text"'], ['text', long()], mark()])])],
                    ]),
                  ],
                  ['citations', '{"enabled":true}'],
                  mark(),
                ),
              () =>
                members(
                  ['type', '"search_result"'],
                  ['title', string()],
                  ['source', string()],
                  ['content', list([textPart(false)])],
                ),
              () => members(['type', '"container_upload"'], ['file_id', string()]),
            ],
            gemini: [
              () =>
                members([
                  'inlineData',
                  object([
                    ['mimeType', '"image/png"'],
                    ['data', '"AAAA"'],
                  ]),
                ]),
              () => members(['fileData', object([['fileUri', string()]])]),
            ],
          }[dialect],
        )();
      const parts = (): string =>
        list(
          Array.from({ length: 1 + count(3) }, () =>
            chance(0.7) ? textPart(chance(0.5)) : otherPart(),
          ),
        );
      const content = (): string => {
        if (chance(wild)) return pick(['null', '[]', '""', '{}', '7', list([string(), string()])]);
        return chance(0.5) ? (chance(0.4) ? string() : long()) : parts();
      };

      let calls = 0;
      /** The messages of one turn: what the user says, and what came of it. */
      const turn = (): string[] => {
        if (chance(wild / 3)) return [any()];
        const out: string[] = [];
        const ids = Array.from({ length: chance(0.6) ? 1 + count(2) : 0 }, () => `call_${calls++}`);
        const input = (): string =>
          object([
            ['z', number()],
            ['a', any()],
            [
              'properties',
              object([
                ['z', '1'],
                ['a', '2'],
              ]),
            ],
          ]);
        switch (dialect) {
          case 'chat':
            out.push(
              members(
                ['role', '"user"'],
                ['content', content()],
                chance(0.1) ? ['name', '"bob"'] : undefined,
              ),
            );
            if (ids.length > 0) {
              out.push(
                members(
                  ['role', '"assistant"'],
                  ['content', pick(['null', '""', string()])],
                  [
                    'tool_calls',
                    list(
                      ids.map((id) =>
                        members(
                          ['id', `"${id}"`],
                          ['type', '"function"'],
                          [
                            'function',
                            object([
                              ['name', '"find"'],
                              ['arguments', JSON.stringify('{"z":1,"a":2}')],
                            ]),
                          ],
                        ),
                      ),
                    ),
                  ],
                ),
              );
              for (const id of ids)
                out.push(
                  members(['role', '"tool"'], ['tool_call_id', `"${id}"`], ['content', content()]),
                );
            }
            out.push(
              members(
                ['role', '"assistant"'],
                ['content', string()],
                chance(0.2) ? ['refusal', 'null'] : undefined,
              ),
            );
            break;
          case 'responses':
            out.push(
              chance(0.3)
                ? members(['role', '"user"'], ['content', chance(0.5) ? long() : parts()])
                : members(['type', '"message"'], ['role', '"user"'], ['content', content()]),
            );
            if (chance(0.4))
              out.push(
                members(
                  ['type', '"reasoning"'],
                  ['id', '"rs_1"'],
                  ['summary', '[]'],
                  ['encrypted_content', string()],
                ),
              );
            for (const id of ids) {
              out.push(
                members(
                  ['type', '"function_call"'],
                  ['call_id', `"${id}"`],
                  ['name', '"find"'],
                  ['arguments', '"{}"'],
                ),
              );
            }
            for (const id of ids) {
              out.push(
                members(
                  ['type', '"function_call_output"'],
                  ['call_id', `"${id}"`],
                  ['output', chance(0.7) ? string() : parts()],
                ),
              );
            }
            out.push(
              members(
                ['type', '"message"'],
                ['role', '"assistant"'],
                [
                  'content',
                  list([
                    members(['type', '"output_text"'], ['text', string()], ['annotations', '[]']),
                  ]),
                ],
              ),
            );
            break;
          case 'messages':
            out.push(members(['role', '"user"'], ['content', content()]));
            if (ids.length > 0) {
              const thinking = chance(0.5)
                ? [
                    members(
                      ['type', '"thinking"'],
                      ['thinking', string()],
                      ['signature', '"sig=="'],
                    ),
                  ]
                : [];
              out.push(
                members(
                  ['role', '"assistant"'],
                  [
                    'content',
                    list([
                      ...thinking,
                      ...ids.map((id) =>
                        members(
                          ['type', '"tool_use"'],
                          ['id', `"${id}"`],
                          ['name', '"find"'],
                          ['input', input()],
                          mark(),
                        ),
                      ),
                    ]),
                  ],
                ),
              );
              out.push(
                members(
                  ['role', '"user"'],
                  [
                    'content',
                    list(
                      ids.map((id) =>
                        members(
                          ['type', '"tool_result"'],
                          ['tool_use_id', `"${id}"`],
                          ['content', content()],
                          mark(),
                        ),
                      ),
                    ),
                  ],
                ),
              );
            }
            out.push(
              members(
                ['role', '"assistant"'],
                ['content', chance(0.5) ? string() : list([textPart(false)])],
              ),
            );
            break;
          case 'gemini':
            out.push(
              members(['role', '"user"'], ['parts', chance(0.9) ? parts() : textPart(true)]),
            );
            if (ids.length > 0) {
              out.push(
                members(
                  ['role', '"model"'],
                  [
                    'parts',
                    list(
                      ids.map(() =>
                        object([
                          [
                            'functionCall',
                            object([
                              ['name', '"find"'],
                              ['args', input()],
                            ]),
                          ],
                        ]),
                      ),
                    ),
                  ],
                ),
              );
              out.push(
                members(
                  ['role', '"user"'],
                  [
                    'parts',
                    list(
                      ids.map(() =>
                        object([
                          [
                            'functionResponse',
                            object([
                              ['name', '"find"'],
                              ['response', input()],
                            ]),
                          ],
                        ]),
                      ),
                    ),
                  ],
                ),
              );
            }
            out.push(members(['role', '"model"'], ['parts', list([textPart(false)])]));
            break;
        }
        return out;
      };

      const tool = (i: number): string => {
        const name: [string, string] = ['name', `"tool_${i}"`];
        const description: [string, string] = ['description', chance(0.5) ? long() : string()];
        switch (dialect) {
          case 'chat':
            return members(
              ['type', '"function"'],
              ['function', object(shuffled([name, description, ['parameters', schema()]]))],
            );
          case 'responses':
            if (chance(0.2)) return members(['type', '"web_search"']);
            return members(
              ['type', '"function"'],
              name,
              description,
              ['parameters', schema()],
              ['strict', 'true'],
            );
          case 'messages':
            if (chance(0.1))
              return members(['type', '"web_search_20250305"'], ['name', '"web_search"']);
            return members(
              name,
              description,
              ['input_schema', schema()],
              chance(0.1) ? ['defer_loading', 'true'] : undefined,
              mark(),
            );
          case 'gemini':
            return members([
              'functionDeclarations',
              list([
                object([name, description, ['parameters', schema()]]),
                object([['name', '"other"']]),
              ]),
            ]);
        }
      };

      const tools = chance(0.8) ? Array.from({ length: 1 + count(3) }, (_, i) => tool(i)) : [];
      const system = chance(0.6) ? long() : list([textPart(true), textPart(chance(0.5))]);
      const head: Array<[string, string] | undefined> = [
        options.model === undefined ? undefined : ['model', JSON.stringify(options.model)],
        tools.length > 0 || chance(0.2) ? ['tools', list(tools)] : undefined,
        dialect === 'messages' && chance(0.8) ? ['system', system] : undefined,
        dialect === 'responses' && chance(0.5)
          ? ['instructions', chance(0.9) ? long() : 'null']
          : undefined,
        dialect === 'gemini' && chance(0.8)
          ? ['systemInstruction', object([['parts', list([textPart(true)])]])]
          : undefined,
      ];
      const tail: Array<[string, string] | undefined> = [
        dialect === 'messages' ? ['max_tokens', '100'] : undefined,
        chance(0.3) ? ['stream', pick(['true', 'false'])] : undefined,
        chance(0.1)
          ? ['stream_options', pick(['null', '{}', '{"x":1}', '{"include_usage":false}'])]
          : undefined,
        chance(0.3) ? ['temperature', number()] : undefined,
        chance(0.1) ? ['temperature', '1'] : undefined,
        extra(),
        extra(),
        dialect === 'messages' && hostMarks && marksLeft > 0 && chance(0.3)
          ? ['cache_control', '{"type":"ephemeral"}']
          : undefined,
        !isClaude && chance(0.1) ? ['prompt_cache_key', pick(['"mine"', 'null'])] : undefined,
        !isClaude && chance(0.1)
          ? ['prompt_cache_options', pick(['null', '{}', '{"ttl":"30m"}', '{"mode":"explicit"}'])]
          : undefined,
        dialect === 'chat' && chance(0.2)
          ? [
              'response_format',
              object([
                ['type', '"json_schema"'],
                [
                  'json_schema',
                  object([
                    ['name', '"x"'],
                    ['schema', schema()],
                  ]),
                ],
              ]),
            ]
          : undefined,
        dialect === 'gemini'
          ? [
              'generationConfig',
              object([
                ['responseSchema', schema()],
                ['temperature', number()],
              ]),
            ]
          : undefined,
      ];
      if (tail.some((member) => member?.[0] === 'cache_control')) marksLeft--;
      const messagesKey =
        dialect === 'gemini' ? 'contents' : dialect === 'responses' ? 'input' : 'messages';
      const before = chance(0.5) ? head : [];
      const after = [...(before === head ? [] : head), ...tail];
      const isShuffled = chance(0.3);
      const afterShuffled = isShuffled ? shuffled(after) : after;
      const beforeShuffled = isShuffled ? shuffled(before) : before;
      const opening = object(beforeShuffled).slice(0, -1);
      const closing = object(afterShuffled).slice(1);
      const comma = (text: string): string => (/^[{]\s*$/.test(text) ? text : `${text},`);
      const lead =
        (dialect === 'chat' || dialect === 'responses') && chance(0.7)
          ? [
              members(
                ['role', pick(['"system"', '"developer"'])],
                ['content', chance(0.6) ? long() : list([textPart(true)])],
              ),
            ]
          : [];

      return Array.from({ length: conversations }, () => {
        const saved = marksLeft;
        const messages = [...lead];
        const turns: string[] = [];
        for (let i = 0; i < options.turns; i++) {
          messages.push(...turn());
          // The last message of a request is mostly the user's.
          const cut = chance(0.8) ? messages.slice(0, -1) : messages;
          const rest = /^\s*}$/.test(closing) ? closing : `,${closing}`;
          turns.push(
            `${comma(opening)}${space()}"${messagesKey}"${space()}:${space()}[${cut.join(chance(0.1) ? ' , ' : ',')}]${rest}`,
          );
        }
        marksLeft = saved;
        return { turns };
      });
    },
  };
}
