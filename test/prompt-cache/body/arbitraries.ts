import fc from 'fast-check';

const KEYS = [
  'type',
  'role',
  'id',
  'tool_call_id',
  'tool_use_id',
  'call_id',
  'name',
  'content',
  'text',
  'properties',
  '$defs',
  'definitions',
  'default',
  'enum',
  'const',
  'examples',
  'input',
  'args',
  'response',
  'arguments',
  'required',
  'a',
  'b',
  'aa',
  'A',
  '',
  '1',
  '10',
  '__proto__',
  'é',
  '€',
  '😀',
  'דּ',
  '\ud800',
  'constructor',
  'cache_control',
  'messages',
  'tools',
];

const space = fc.constantFrom('', '', '', '', ' ', '\n', '\t\r', '  ');
/** A string as JSON text, its characters escaped in one way or another. */
function stringText(value: string, escapes: number): string {
  let text = '"';
  for (let i = 0; i < value.length; i++) {
    const unit = value[i]!;
    const escaped = `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    if ((escapes >> (i % 30)) & 1) text += escaped;
    else text += unit === '"' || unit === '\\' || unit < ' ' ? escaped : unit;
  }
  return `${text}"`;
}

const someString = fc
  .tuple(
    fc.oneof(fc.constantFrom(...KEYS), fc.string({ unit: 'binary', maxLength: 6 })),
    fc.oneof(fc.constant(0), fc.nat(2 ** 30 - 1)),
  )
  .map(([value, escapes]) => stringText(value, escapes));
const number = fc.constantFrom(
  '0',
  '-0',
  '1',
  '1.0',
  '1e400',
  '-1E+9',
  '12345678901234567890123',
  '0.1e-7',
  '4.50',
);

/** JSON text of any value, in any layout: white space, equal keys, escapes, lone surrogates, numbers that overflow. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(number, someString, fc.constantFrom('true', 'false', 'null')),
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map((items) => `[${items.map((parts) => parts.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, someString, space, fc.constant(':'), space, tie('value'), space), {
        maxLength: 6,
      })
      .map((members) => `{${members.map((parts) => parts.join('')).join(',')}}`),
  ),
})).value;

export const spacedJson: fc.Arbitrary<string> = fc
  .tuple(space, jsonText, space)
  .map((parts) => parts.join(''));
