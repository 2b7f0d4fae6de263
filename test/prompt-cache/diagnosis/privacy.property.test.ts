import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { diagnose } from '../../../src/prompt-cache/diagnosis/diagnose.ts';
import { createMissLedger } from '../../../src/prompt-cache/diagnosis/miss-ledger.ts';
import { createPredecessors } from '../../../src/prompt-cache/diagnosis/predecessors.ts';
import { identityOf } from '../../../src/prompt-cache/diagnosis/prompt-change.ts';
import { fingerprintOf, noSalts, promptOf, rules, type Body } from './prompts.ts';

/** Letters that no word of the library has, and digits, as in secrets. */
const secret = fc.string({
  unit: fc.constantFrom(...'QXZJÄßлж漢0123456789:- '),
  minLength: 9,
  maxLength: 60,
});
const long = fc.array(secret, { minLength: 20, maxLength: 80 }).map((parts) => parts.join(''));

const body: fc.Arbitrary<Body & { tools: object[]; system: string }> = fc.record({
  model: secret,
  tools: fc.array(fc.record({ name: secret, description: long }), { minLength: 1, maxLength: 3 }),
  system: long,
  messages: fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content: long }), {
    minLength: 2,
    maxLength: 6,
  }),
});

type Change = (
  before: Body & { tools: object[]; system: string },
  other: Body & { tools: object[]; system: string },
) => Body;

const changes: Record<string, Change> = {
  'model-changed': (before, { model }) => ({ ...before, model: model ?? '' }),
  'tools-changed': (before, { tools }) => ({
    ...before,
    tools: [...tools, ...before.tools] as never,
  }),
  'system-changed': (before, { system }) => ({
    ...before,
    system: before.system.slice(0, 100) + system,
  }),
  'history-edited': (before, { messages }) => ({
    ...before,
    messages: [messages[0]!, ...before.messages.slice(1), ...messages],
  }),
  evicted: (before) => before,
};

/** Every stretch of nine characters in the strings of a value. */
function stretches(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof value === 'string') {
    for (let i = 0; i + 9 <= value.length; i++) found.add(value.slice(i, i + 9));
  } else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) stretches(member, found);
  }
  return found;
}

test.each(Object.keys(changes))('%s: nothing of a prompt is in what is recorded', (reason) => {
  let seen = 0;
  fc.assert(
    fc.property(body, body, secret, (before, other, session) => {
      const index = createPredecessors();
      const ledger = createMissLedger();
      const send = (sent: Body) => {
        const prompt = promptOf(sent);
        const fingerprint = fingerprintOf(prompt);
        const { model } = sent;
        const family = fingerprint.at(0) ?? '';
        const meta = { scope: 'api', session, model, salts: noSalts, family, sentAt: 0 };
        const earlier = index.remember(prompt, fingerprint, meta);
        return {
          prompt,
          fingerprint,
          earlier,
          identity: identityOf(session, model, noSalts),
          family,
        };
      };
      send(before);
      const after = changes[reason]!(before, other);
      const sent = send(after);
      const position = sent.prompt.blocks.length - 1;
      const miss = diagnose({
        ...sent,
        known:
          reason === 'evicted'
            ? { position, tokens: 5000, readableAt: 0, expiresAt: 1e6 }
            : undefined,
        marks: [position],
        sentAt: 1000,
        rules: { ...rules, minTokens: 0 },
        reported: { read: 0, write: 5000, uncached: 0 },
      });
      if (miss === undefined) return;
      if (miss.reason === reason) seen++;
      ledger.add(miss, sent.earlier?.family ?? sent.family, 1n);
      const text = stretches([before, after, session]);
      const recorded = [...stretches([miss, ledger.snapshot()])];
      expect(recorded.filter((stretch) => text.has(stretch))).toEqual([]);
    }),
    { numRuns: 60 },
  );
  expect(seen).toBeGreaterThan(30);
});
