import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { estimateUsage } from '../../src/tokens/estimate-usage.ts';
import { createTokenCounter } from '../../src/tokens/token-counter.ts';
import { fullFixturesDir } from '../helpers/full-fixtures.ts';

const fixtures = fullFixturesDir();

const exchange = z.object({
  id: z.string(),
  api: z.string(),
  source: z.object({ authenticity: z.string() }),
  request: z.nullish(z.object({ body: z.nullish(z.string()) })),
  response: z.object({ status: z.number(), body: z.nullish(z.string()) }),
});
const truth = z.object({
  id: z.string(),
  ambiguous: z.array(z.unknown()),
  stream_complete: z.nullish(z.string()),
  model: z.nullish(z.string()),
  usage: z.nullish(
    z.object({
      input_total: z.nullish(z.number()),
      output: z.nullish(z.number()),
      reasoning: z.nullish(z.number()),
    }),
  ),
});
const delta = z.object({
  content: z.nullish(z.string()),
  tool_calls: z.nullish(
    z.array(
      z.object({
        function: z.nullish(
          z.object({ name: z.nullish(z.string()), arguments: z.nullish(z.string()) }),
        ),
      }),
    ),
  ),
});
const answer = z.object({
  choices: z.nullish(z.array(z.object({ message: z.nullish(delta), delta: z.nullish(delta) }))),
});

function lines(path: string): string[] {
  return readFileSync(join(fixtures ?? '', path), 'utf8')
    .trim()
    .split('\n');
}

/** Text and tool arguments of a chat answer, streamed or whole. */
function outputText(body: string): string {
  const events = body.startsWith('{')
    ? [body]
    : [...body.matchAll(/^data: (\{.*)$/gm)].map((match) => match[1]!);
  return events
    .flatMap((event) => answer.parse(JSON.parse(event)).choices ?? [])
    .map((choice) => choice.message ?? choice.delta)
    .map(
      (part) =>
        (part?.content ?? '') +
        (part?.tool_calls ?? [])
          .map((call) => (call.function?.name ?? '') + (call.function?.arguments ?? ''))
          .join(''),
    )
    .join('');
}

function quantile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)]!;
}

describe.skipIf(fixtures === undefined)('recorded OpenAI chat calls (full fixtures)', () => {
  test('estimates come close to the reported usage', async () => {
    const clock = {
      now: () => performance.now(),
      wallNow: () => 0,
      setTimeout: () => undefined,
      clearTimeout: () => undefined,
    };
    const counter = createTokenCounter({ clock });
    const truths = new Map(
      lines('expected_usage.jsonl').map((line) => [
        truth.parse(JSON.parse(line)).id,
        truth.parse(JSON.parse(line)),
      ]),
    );
    const inputErrors: number[] = [];
    const outputErrors: number[] = [];
    for (const line of lines('interactions/openai.jsonl')) {
      const { id, api, source, request, response } = exchange.parse(JSON.parse(line));
      const known = truths.get(id);
      const { usage } = known ?? {};
      const requestBody = request?.body;
      if (
        api !== 'chat.completions' ||
        source.authenticity !== 'recorded' ||
        response.status !== 200
      )
        continue;
      if (
        !usage?.input_total ||
        !usage.output ||
        known!.ambiguous.length > 0 ||
        known!.stream_complete === 'truncated'
      )
        continue;
      // Images, audio and files are billed by rules of their own, not by their text.
      if (
        !requestBody ||
        !response.body ||
        /"(image_url|input_audio|file|audio)"/.test(requestBody)
      )
        continue;
      const estimated = await estimateUsage({
        counter,
        reported: { inputTokens: {}, outputTokens: {}, grade: 'none' },
        requestBody,
        model: known!.model ?? undefined,
        outputText: outputText(response.body),
        outputShare: 1,
      });
      inputErrors.push(Math.abs(estimated.inputTokens.total! / usage.input_total - 1));
      // Hidden reasoning is billed and not in the answer.
      if (!usage.reasoning)
        outputErrors.push(Math.abs(estimated.outputTokens.total! / usage.output - 1));
    }
    expect(inputErrors.length).toBeGreaterThan(300);
    expect(quantile(inputErrors, 0.5)).toBeLessThan(0.02);
    expect(quantile(inputErrors, 0.9)).toBeLessThan(0.2);
    expect(outputErrors.length).toBeGreaterThan(300);
    expect(quantile(outputErrors, 0.5)).toBeLessThan(0.02);
  });
});
