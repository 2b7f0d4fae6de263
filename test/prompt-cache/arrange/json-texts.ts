import * as fc from 'fast-check';

/** A JSON value as a tree of texts, so that its keys can be written in any order and its scalars in any spelling. */
export type Tree =
  | string
  | readonly Tree[]
  | { readonly members: readonly (readonly [string, Tree])[] };

const key = fc.constantFrom(
  '"a"',
  '"b"',
  '"type"',
  '"default"',
  '"properties"',
  '"\\u00e9"',
  '"x\\""',
  '""',
);
const scalar = fc.oneof(
  fc.constantFrom(
    '1',
    '1.0',
    '1e0',
    '-0',
    '0',
    '12345678901234567890123',
    '12345678901234567890124',
  ),
  fc.constantFrom(
    'null',
    'true',
    '"1"',
    '"a"',
    '"\\u0061"',
    '"\\\\"',
    '"\\"{"',
    '"],}"',
    '"é"',
    '""',
  ),
);

export const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc
      .uniqueArray(fc.tuple(key, tie('tree')), { selector: ([name]) => name, maxLength: 4 })
      .map((members) => ({ members })),
  ),
})).tree;

type Member = readonly [string, Tree];
type Order = (members: readonly Member[]) => readonly Member[];

/** The text of a tree without white space; `order` decides how the members of each object are written. */
export function write(value: Tree, order: Order = (members) => members): string {
  if (typeof value === 'string') return value;
  if ('members' in value) {
    const members = order(value.members).map(([name, inner]) => `${name}:${write(inner, order)}`);
    return `{${members.join(',')}}`;
  }
  return `[${value.map((item) => write(item, order)).join(',')}]`;
}

export const sorted: Order = (members) => [...members].sort(([a], [b]) => (a < b ? -1 : 1));

/** Another order for every object, decided by the numbers alone. */
export function shuffledBy(numbers: readonly number[]): Order {
  let next = 0;
  return (members) => {
    const left = [...members];
    return members.flatMap(() =>
      left.splice((numbers[next++ % numbers.length] ?? 0) % left.length, 1),
    );
  };
}

export const numbers: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 1000 }), {
  minLength: 1,
  maxLength: 20,
});
