/** Calls that wait for a worker while their shard goes to another node. */
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Envelope } from '../../actors/kernel/message.ts';
import type { Settled } from '../../actors/kernel/ports.ts';
import { createGatewayPool } from '../../supervisors/gateways.ts';
import { eventually } from '../support/eventually.ts';

const test = suite('gateway pool');

/** Calls that are made at once; the next ones wait. */
const AT_ONCE = 64;

const call = (id: string): Envelope => ({
  id,
  to: { type: 'gateway', id: 'bank' },
  from: { type: 'wallet', id: 'a' },
  message: { type: 'Withdraw' },
});

test('what waited for a worker is not done once its shard is not held any more', async () => {
  const made: string[] = [];
  const results = new Map<string, Settled>();
  let answer: () => void = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let isHeld = true;
  const pool = createGatewayPool({
    gateway: {
      name: 'bank',
      async call({ id }) {
        made.push(id);
        await answered;
        return { type: 'Answer' };
      },
    },
    mayCall: () => isHeld,
    deliver: (_result, settle) => settle({ kind: 'done' }),
    failPoint: () => {},
    logger: pino({ level: 'silent' }),
  });
  const ids = Array.from({ length: AT_ONCE + 2 }, (_, index) => `call-${index}`);
  for (const id of ids) pool.call(call(id), (result) => results.set(id, result));
  isHeld = false;
  answer();
  await eventually('all are told', () => results.size === ids.length);
  assert.equal(made, ids.slice(0, AT_ONCE));
  assert.equal(
    ids.map((id) => results.get(id)?.kind),
    ids.map((_, index) => (index < AT_ONCE ? 'done' : 'unavailable')),
  );

  isHeld = true;
  const [, last = ''] = ids.slice(AT_ONCE);
  pool.call(call(last), (result) => results.set(last, result));
  await eventually('it is done when the shard is back', () => results.get(last)?.kind === 'done');
});

test.run();
