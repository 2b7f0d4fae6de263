import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createToolOrder } from '../../../src/prompt-cache/arrange/tool-order.ts';
import type { ToolOrder } from '../../../src/prompt-cache/arrange/tool-order.ts';
import { toolIdentity } from '../../../src/prompt-cache/arrange/tool-identity.ts';
import { numbers, shuffledBy, tree, write } from './json-texts.ts';
import type { Tree } from './json-texts.ts';

const named = (name: string, version = 1): string => `{"name":"${name}","version":${version}}`;
const list = (names: string): string[] => names.split('').map((name) => named(name));
const stable = (): ToolOrder => createToolOrder({ mode: 'stable' });

/** The names sent for each of several requests, one after the other. */
function sent(order: ToolOrder, ...requests: string[]): string[] {
  return requests.map((names) => {
    const { texts } = order.arrange(list(names), 'scope');
    return texts.map((text) => text.charAt(9)).join('');
  });
}

/** Distinct items in another order. */
function shuffled<Item>(items: readonly Item[], by: readonly number[]): Item[] {
  const left = [...items];
  return items.flatMap((_item, i) => left.splice((by[i % by.length] ?? 0) % left.length, 1));
}

const names = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { minLength: 1, maxLength: 8 });
const toolTree: fc.Arbitrary<Tree> = fc
  .tuple(
    fc.constantFrom('"a"', '"b"', '"c"', '"d"', '"e"'),
    tree,
    fc.constantFrom('bare', 'function'),
  )
  .map(([name, schema, form]) => {
    const inner = {
      members: [
        ['"name"', name],
        ['"parameters"', schema],
      ],
    } as const;
    return form === 'bare'
      ? inner
      : {
          members: [
            ['"type"', '"function"'],
            ['"function"', inner],
          ],
        };
  });

describe('stable', () => {
  test('a set goes out as it was first seen, in whatever order of tools and keys it comes', () => {
    const requests = fc.array(fc.tuple(numbers, numbers), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(toolTree, { maxLength: 6 }), requests, (trees, orders) => {
        const order = stable();
        const first = trees.map((tool) => write(tool));
        const { texts } = order.arrange(first, 's');
        const identities = (of: readonly string[]): string[] => of.map(toolIdentity);
        expect(identities(texts)).toEqual(identities(first));
        for (const [byTool, byKey] of orders) {
          const again = shuffled(trees, byTool).map((tool) => write(tool, shuffledBy(byKey)));
          expect(order.arrange(again, 's').texts).toEqual(texts);
        }
      }),
    );
  });

  test('what is sent is what was given, apart from order', () => {
    const requests = fc.array(
      fc.array(
        toolTree.map((tool) => write(tool)),
        { maxLength: 5 },
      ),
    );
    fc.assert(
      fc.property(requests, fc.constantFrom('stable', 'sort'), (lists, mode) => {
        const toolOrder = createToolOrder({ mode, maxBytes: 2000 });
        for (const given of lists) {
          const { texts, order } = toolOrder.arrange(given, 's');
          const from = order ?? [...given.keys()];
          expect([...from].sort((a, b) => a - b)).toEqual([...given.keys()]);
          expect(texts.map(toolIdentity)).toEqual(from.map((i) => toolIdentity(given[i] ?? '')));
        }
      }),
    );
  });

  test('a set that grows keeps its prefix', () => {
    const steps = fc.array(fc.tuple(names, numbers), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(steps, (grown) => {
        const order = stable();
        let known: string[] = [];
        for (const [more, by] of grown) {
          const added = more.filter((name) => !known.includes(name));
          const given = shuffled([...known, ...added], by);
          const [out] = sent(order, given.join(''));
          known = [...known, ...given.filter((name) => added.includes(name))];
          expect(out).toBe(known.join(''));
        }
      }),
    );
  });

  test('a set that shrinks keeps its order', () => {
    fc.assert(
      fc.property(names, names, numbers, (all, some, by) => {
        const order = stable();
        const left = all.filter((name) => !some.includes(name));
        const [, out] = sent(order, all.join(''), shuffled(left, by).join(''));
        expect(out).toBe(left.join(''));
      }),
    );
  });

  test.each([
    ['a disjoint set is left alone', ['abc', 'zyx'], ['abc', 'zyx']],
    ['an overlapping set is left alone', ['abc', 'cbx'], ['abc', 'cbx']],
    ['the smallest set around', ['abxz', 'bay', 'ab'], ['abxz', 'bay', 'ba']],
    ['of sets around in one size the first', ['abx', 'bay', 'ba'], ['abx', 'bay', 'ab']],
    ['the largest set inside', ['ba', 'cdex', 'edcxab'], ['ba', 'cdex', 'cdexab']],
    ['of sets inside in one size the first', ['ba', 'dc', 'cdab'], ['ba', 'dc', 'bacd']],
    [
      'a set around goes before one inside',
      ['bap', 'abyq', 'ab', 'yab'],
      ['bap', 'abyq', 'ba', 'aby'],
    ],
    ['a set with one such tool is not around two', ['cabd', 'aac'], ['cabd', 'aac']],
    ['a tool in another number is another set', ['ab', 'aab', 'caab'], ['ab', 'aba', 'abac']],
    ['a tool that is listed twice', ['aab', 'baa', 'ab', 'ba'], ['aab', 'aab', 'ab', 'ab']],
  ])('%s', (_what, requests, expected) => {
    expect(sent(stable(), ...requests)).toEqual(expected);
  });

  test('an updated tool takes the place of the old one', () => {
    const order = stable();
    order.arrange(list('abc'), 's');
    const given = [named('c'), named('b', 2), named('a')];
    expect(order.arrange(given, 's')).toEqual({
      texts: [named('a'), named('b', 2), named('c')],
      order: [2, 1, 0],
    });
  });

  test('two tools of one name are two', () => {
    const order = stable();
    const first = [named('a', 1), named('a', 2), named('b')];
    order.arrange(first, 's');
    expect(order.arrange([named('b'), named('a', 2), named('a', 1)], 's').texts).toEqual(first);
    const updated = order.arrange([named('b'), named('a', 3), named('a', 2)], 's').texts;
    expect(updated).toEqual([named('a', 3), named('a', 2), named('b')]);
    const other = order.arrange([named('b'), named('a', 4), named('a', 1)], 's').texts;
    expect(other).toEqual([named('a', 1), named('a', 4), named('b')]);
  });

  test('tools without a name move with their set and are told by their text', () => {
    const order = stable();
    const hosted = ['{"type":"web_search"}', '{"type":"mcp","url":"a"}', named('a')];
    order.arrange(hosted, 's');
    expect(order.arrange(hosted.toReversed(), 's').texts).toEqual(hosted);
    const other = [named('a'), '{"type":"mcp","url":"b"}', '{"type":"web_search"}'];
    expect(order.arrange(other, 's').texts).toBe(other);
  });

  test('scopes know nothing of each other', () => {
    const order = stable();
    order.arrange(list('abc'), 'one');
    const given = list('cba');
    expect(order.arrange(given, 'two').texts).toBe(given);
    expect(order.arrange(list('abc'), 'two').texts).toEqual(given);
    expect(order.arrange(given, 'one').texts).toEqual(list('abc'));
    expect(order.arrange(given, 'two').texts).toEqual(given);
    const subset = list('ba');
    expect(order.arrange(subset, 'three').texts).toBe(subset);
    const reordered = ['{"version":1,"name":"a"}'];
    expect(order.arrange(reordered, 'four').texts).toBe(reordered);
  });
});

test('the properties go out in their first order, and a number in another spelling is another tool', () => {
  const order = stable();
  const tool = (properties: string): string =>
    `{"name":"t","input_schema":{"properties":{${properties}}}}`;
  const first = [tool('"b":{"minimum":1},"a":{}')];
  order.arrange(first, 's');
  expect(order.arrange([tool('"a":{},"b":{"minimum":1}')], 's')).toEqual({ texts: first });
  const other = [tool('"a":{},"b":{"minimum":2}')];
  expect(order.arrange(other, 's').texts).toBe(other);
});

test.each(['stable', 'sort'] as const)('%s leaves a list alone that the host marked', (mode) => {
  const marks = [
    '{"name":"m","cache_control":{"type":"ephemeral"}}',
    '{"type":"function","function":{"name":"m","cache_control":{"type":"ephemeral"}}}',
    '{"cachePoint":{"type":"default"}}',
  ];
  for (const mark of marks) {
    const order = createToolOrder({ mode });
    order.arrange([named('a'), mark, named('b')], 's');
    const given = [named('b'), mark, named('a')];
    expect(order.arrange(given, 's').texts).toBe(given);
  }
  const unmarked = ['{"name":"m","cache_control":null}', '{"name":"l","about":"cache_control"}'];
  const order = createToolOrder({ mode });
  const { texts } = order.arrange(unmarked, 's');
  expect(order.arrange(unmarked.toReversed(), 's').texts).toEqual(texts);
});

test('sort: by name in code units, then by text; no name first', () => {
  const order = createToolOrder({ mode: 'sort' });
  const chat = '{"type":"function","function":{"description":"x","name":"B"}}';
  const tools = [named('b'), named('a', 2), named('a', 1), '{"type":"web_search"}', chat];
  const expected = ['{"type":"web_search"}', chat, named('a', 1), named('a', 2), named('b')];
  expect(order.arrange(tools, 's')).toEqual({ texts: expected, order: [3, 4, 2, 1, 0] });
  expect(order.arrange(expected, 's').texts).toBe(expected);
});

test('keep changes nothing, not even keys', () => {
  const order = createToolOrder({ mode: 'keep' });
  order.arrange(['{"name":"a","x":1}', named('b')], 's');
  const given = [named('b'), '{"x":1,"name":"a"}'];
  expect(order.arrange(given, 's')).toEqual({ texts: given, order: undefined });
});

test('long texts of one length are told apart', () => {
  const order = stable();
  const long = (end: string): string => `{"name":"long","text":"${'x'.repeat(40_000)}${end}"}`;
  const first = [long('1'), long('2')];
  order.arrange(first, 's');
  expect(order.arrange([long('2'), long('1')], 's').texts).toEqual(first);
  const other = [long('4'), long('3')];
  expect(order.arrange(other, 's').texts).toBe(other);
});

test('what has not been needed for long is forgotten', () => {
  const crowd = (order: ToolOrder): readonly string[] => {
    sent(order, 'abc');
    for (let i = 0; i < 100; i++) order.arrange([named(`crowd${i}`), named('other')], 'scope');
    return sent(order, 'cba');
  };
  expect(crowd(createToolOrder({ mode: 'stable', maxBytes: 8000 }))).toEqual(['cba']);
  expect(crowd(stable())).toEqual(['abc']);
  const cleared = stable();
  expect(sent(cleared, 'abc', 'cba')).toEqual(['abc', 'abc']);
  cleared.clear();
  expect(sent(cleared, 'cba')).toEqual(['cba']);
});

test('nothing that is given throws', () => {
  const texts = fc.array(
    fc.array(
      fc.oneof(
        fc.string(),
        fc.json(),
        toolTree.map((t) => write(t)),
      ),
    ),
  );
  fc.assert(
    fc.property(
      texts,
      fc.string(),
      fc.constantFrom('stable', 'sort', 'keep'),
      (lists, scope, mode) => {
        const order = createToolOrder({ mode, maxBytes: 1000 });
        for (const given of lists)
          expect(order.arrange(given, scope).texts).toHaveLength(given.length);
      },
    ),
  );
});
