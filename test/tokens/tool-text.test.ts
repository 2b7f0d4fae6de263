import { expect, test } from 'vitest';
import { definedTools, toolsText } from '../../src/tokens/tool-text.ts';

test('writes a tool as the type that the models read', () => {
  const tools = definedTools({
    tools: [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'The weather of a place.',
          parameters: {
            type: 'object',
            properties: {
              place: { type: 'string', description: 'City and country' },
              days: { type: 'array', items: { type: 'integer' } },
              unit: { enum: ['c', 'f'] },
              at: { anyOf: [{ type: 'string' }, { type: 'null' }] },
              range: {
                type: 'object',
                properties: { from: { type: ['string', 'number'] } },
                required: ['from'],
              },
              rest: {},
            },
            required: ['place'],
          },
        },
      },
      { name: 'ping', input_schema: { type: 'object', properties: {} } },
    ],
  });
  expect(toolsText(tools)).toBe(`# Tools

## functions

namespace functions {

// The weather of a place.
type get_weather = (_: {
// City and country
place: string,
days?: number[],
unit?: "c" | "f",
at?: string | null,
range?: {
from: string | number,
},
rest?: any,
}) => any;

type ping = () => any;

} // namespace functions`);
});

test('is empty without tools of the caller', () => {
  expect(definedTools({ tools: [{ type: 'web_search' }, { googleSearch: {} }] })).toEqual([]);
  expect(toolsText([])).toBe('');
});
