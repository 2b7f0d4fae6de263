import { describe, expect, test } from 'vitest';
import { createSeededRandom } from '../../../src/testing/index.ts';
import { createBodies, type Dialect } from './bodies.ts';
import { differences } from './differences.ts';
import { readTree } from './json-tree.ts';
import { createRig, type Provider } from './sent.ts';

/**
 * Bodies of known conversations with a character or two changed, taken away or put in. What is JSON still is sent as what it
 * is, whatever was remembered of its like; what is not goes out as it came.
 */

const TARGETS: ReadonlyArray<readonly [string, Dialect, string | undefined, string, Provider]> = [
  [
    'messages',
    'messages',
    'claude-sonnet-4-5',
    'https://api.anthropic.com/v1/messages',
    'anthropic',
  ],
  ['responses', 'responses', 'gpt-5.6-sol', 'https://api.openai.com/v1/responses', 'openai'],
  ['chat', 'chat', 'gpt-5.6-sol', 'https://api.openai.com/v1/chat/completions', 'openai'],
  [
    'generateContent',
    'gemini',
    undefined,
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
    'gemini',
  ],
];

const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  ' ',
  '\n',
  '0',
  '-',
  'e',
  'null',
  '{}',
  '[]',
  '""',
  '"a":1,',
  '{"role":"user"},',
  '"messages":[],',
  '"tools":[],',
  '"role":"system",',
];

describe.each(TARGETS)('%s', (_name, dialect, model, url, provider) => {
  test('damaged bodies', async () => {
    const random = createSeededRandom(Number(process.env['FUZZ_SEED'] ?? 5));
    const upTo = (max: number): number => Math.floor(random() * max);
    const bodies = createBodies(random);
    const rig = createRig(provider);
    const problems: string[] = [];
    let valid = 0;
    let broken = 0;
    for (let agent = 0; agent < 8; agent++) {
      const conversations = bodies.agent(
        { dialect, model, wild: 0.05, turns: 4, hostMarks: false },
        2,
      );
      for (const { turns } of conversations) {
        for (const turn of turns) {
          // A stream is asked for its usage whatever else its body says.
          const body = turn.replaceAll(/"stream"(\s*):(\s*)true/g, '"stream"$1:$2false');
          await rig.post(url, body);
          for (let i = 0; i < 8; i++) {
            const at = upTo(body.length);
            const piece = PIECES[upTo(PIECES.length)]!;
            const removed = [0, 1, 1, 2, upTo(200)][upTo(5)]!;
            const damaged =
              body.slice(0, at) + (random() < 0.6 ? piece : '') + body.slice(at + removed);
            const { body: sent } = await rig.post(url, damaged);
            const given = readTree(damaged);
            if (given?.kind === 'object') {
              valid++;
              const after = readTree(String(sent));
              const faults = after === undefined ? ['no JSON'] : differences(given, after).faults;
              if (faults.length > 0)
                problems.push(`agent ${agent}: ${piece} at ${at}: ${faults[0]}`);
            } else if (readTree(withoutStrings(damaged)) === undefined) {
              broken++;
              if (sent !== damaged)
                problems.push(`agent ${agent}: ${piece} at ${at}: not as it came`);
            }
          }
        }
        await rig.clock.advance(5000);
      }
    }
    expect(problems.slice(0, 10)).toEqual([]);
    expect(valid).toBeGreaterThan(100);
    expect(broken).toBeGreaterThan(100);
  }, 60_000);
});

/** Faults inside of strings are not looked for here. */
function withoutStrings(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\[^])*"/g, '""');
}
