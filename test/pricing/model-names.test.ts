import { describe, expect, test } from 'vitest';

import { nameForms } from '../../src/pricing/model-names.ts';

const namesOf = (provider: string, name: string): string[] =>
  nameForms(provider, name).map((form) => form.name);

describe('names under which a model is looked up', () => {
  test.each([
    ['openai', 'gpt-4o-2024-08-06', 'gpt-4o'],
    ['anthropic', 'claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
    ['openai', 'davinci:2023-07-21-v2', 'davinci'],
    ['openai', 'gpt-3.5-turbo-instruct:20230824-v2', 'gpt-3.5-turbo-instruct'],
    ['openai', 'ft:gpt-4o-mini-2024-07-18:org:name:abc123', 'ft:gpt-4o-mini'],
    ['azure.ai.openai', 'gpt-4o-2024-11-20', 'gpt-4o'],
    ['gcp.vertex_ai', 'claude-opus-4-1@20250805', 'claude-opus-4-1'],
    ['gcp.vertex_ai', 'publishers/google/models/gemini-2.5-flash', 'gemini-2.5-flash'],
    ['gcp.vertex_ai', 'google/gemini-2.5-pro', 'gemini-2.5-pro'],
    ['gcp.gemini', 'models/gemini-2.0-flash-001', 'gemini-2.0-flash'],
    ['openrouter', 'openai/gpt-5.2-20251211', 'openai/gpt-5.2'],
    ['openrouter', 'vendor/model-20251217:free', 'vendor/model:free'],
    ['openrouter', 'openai/gpt-4o:nitro', 'openai/gpt-4o'],
    ['aws.bedrock', 'anthropic.claude-3-5-sonnet-20241022-v2:0', 'anthropic.claude-3-5-sonnet'],
    [
      'aws.bedrock',
      'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'regional.anthropic.claude-sonnet-4-5',
    ],
    [
      'aws.bedrock',
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-5',
      'global.anthropic.claude-opus-5',
    ],
    ['aws.bedrock', 'us-gov.amazon.nova-lite-v1:0', 'amazon.nova-lite'],
    ['aws.bedrock', 'mistral.mistral-7b-instruct-v0:2', 'mistral.mistral-7b-instruct'],
    ['aws.bedrock', 'openai.gpt-5.5', 'openai.gpt-5.5'],
  ])('%s %s is also %s', (provider, name, form) => {
    expect(namesOf(provider, name)).toContain(form);
  });

  test.each([
    ['anthropic', 'claude-sonnet-5-5'],
    ['anthropic', 'claude-sonnet-4-6-fast'],
    ['gcp.gemini', 'gemini-3.8-flash-lite'],
    ['openai', 'gpt-4o-latest'],
    ['openai', 'gpt-3.5-turbo-0613'],
    ['mistral_ai', 'mistral-small-2503'],
    ['openrouter', 'openai/gpt-4o:extended'],
    ['groq', 'openai/gpt-oss-120b'],
    ['openai', 'model-99991399'],
  ])('%s %s has no other name', (provider, name) => {
    expect(new Set(namesOf(provider, name))).toEqual(new Set([name]));
  });

  test.each([
    ['gcp.gemini', 'tunedModels/mine-123'],
    ['gcp.vertex_ai', 'projects/p/locations/l/endpoints/123'],
    ['aws.bedrock', 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc'],
  ])('%s %s names no listed model', (provider, name) => {
    expect(namesOf(provider, name)).toEqual([]);
  });

  test('a routing suffix of OpenRouter does not have the exact price', () => {
    expect(nameForms('openrouter', 'openai/gpt-4o:floor').at(-1)).toEqual({
      name: 'openai/gpt-4o',
      exact: false,
    });
  });
});
