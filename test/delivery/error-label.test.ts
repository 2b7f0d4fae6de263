import { expect, test } from 'vitest';

import { errorLabel } from '../../src/delivery/error-label.ts';

class PgError extends Error {
  override name = 'PgError';
  code = '23505';
}

test.each([
  [new PgError('Key (tenant)=(secret) exists'), { name: 'PgError', code: '23505' }],
  [Object.assign(new RangeError('x'), { code: 5 }), { name: 'RangeError', code: '5' }],
  [Object.assign(new Error('x'), { code: 'has data: sk-1' }), { name: 'Error' }],
  [Object.assign(new Error('x'), { name: 'a b' }), { name: 'Error' }],
  [Object.assign(new Error('x'), { name: 'x'.repeat(65), code: {} }), { name: 'Error' }],
  ['thrown text', { name: 'string' }],
  [undefined, { name: 'undefined' }],
  [null, { name: 'object' }],
  [{}, { name: 'Error' }],
  [
    {
      get name() {
        throw new Error('getter');
      },
    },
    { name: 'Error' },
  ],
])('shows of case %# no more than a word', (error, label) => {
  expect(errorLabel(error)).toEqual(label);
});
