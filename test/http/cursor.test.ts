import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../http/cursor.ts';
import { Problem } from '../../http/problem.ts';

const cursor = suite('http cursor');
const position = z.strictObject({ at: z.number(), id: z.string() });

cursor('gives the position back', () => {
  const encoded = encodeCursor('orders/cus_1', { at: 5, id: 'ord_1' });
  assert.match(encoded, /^[A-Za-z0-9_-]+$/);
  assert.equal(decodeCursor(encoded, 'orders/cus_1', position), { at: 5, id: 'ord_1' });
});

cursor('is refused by another list, or when it is made up', () => {
  const others = [
    encodeCursor('orders/cus_2', { at: 5, id: 'ord_1' }),
    encodeCursor('orders/cus_1', { at: '5', id: 'ord_1' }),
    encodeCursor('orders/cus_1', 7),
    Buffer.from('{"a":1}').toString('base64url'),
    Buffer.from('null').toString('base64url'),
    'nonsense',
    '%%%',
  ];
  for (const other of others) {
    let thrown: unknown;
    try {
      decodeCursor(other, 'orders/cus_1', position);
    } catch (error) {
      thrown = error;
    }
    assert.instance(thrown, Problem, other);
    assert.is((thrown as Problem).status, 400);
    assert.is((thrown as Problem).code, 'request.invalid-cursor');
  }
});

cursor.run();
