/** No secret leaves, whoever asks; what is personal only to those who may: over every event that any aggregate can record. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Versioned } from '../../actors/kernel/decider.ts';
import { redacted } from '../../http/views/redacted.ts';
import { expressOrder } from '../support/client.ts';
import { aggregateTypes, currentSamples, replayed } from '../support/golden.ts';
import { startShop } from '../support/shop.ts';

const redaction = suite('http redacted');

/** Shorter ones, such as a country, occur elsewhere with another meaning. */
const MIN_LENGTH = 4;

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.length >= MIN_LENGTH ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const personalIn = (events: readonly Versioned[]): string[] => events.flatMap(({ personal }) => textsIn(personal));
const isSecret = (text: string): boolean => /^(tok_|scrypt\$)/.test(text);

for (const type of aggregateTypes) {
  redaction(`${type} - nothing personal shows in events or in the state they make, unless it may`, () => {
    for (const [name, { id, events }] of currentSamples(type)) {
      const state = replayed(type, { id, events });
      for (const text of new Set(personalIn(events))) {
        for (const value of [state, ...events]) {
          const shown = JSON.stringify(redacted(type, value, false));
          assert.not.ok(shown.includes(JSON.stringify(text)), `${name}: ${text} in ${shown}`);
        }
      }
    }
  });

  redaction(`${type} - no token and no hash of a password shows to anybody`, () => {
    for (const [name, { id, events }] of currentSamples(type)) {
      for (const value of [replayed(type, { id, events }), ...events]) {
        const secrets = textsIn(redacted(type, value, true)).filter(isSecret);
        assert.equal(secrets, [], name);
      }
    }
  });
}

redaction('the samples hold secrets and personal data at all, and what may be seen stays', () => {
  const order = currentSamples('order').get('OrderPlaced v1');
  assert.ok(order && personalIn(order.events).includes('1 Main Street'));
  const shown = JSON.stringify(redacted('order', order.events[0], true));
  assert.ok(shown.includes('1 Main Street'));
  const all = aggregateTypes.flatMap((type) => [...currentSamples(type).values()].flatMap(({ events }) => events));
  assert.ok(
    textsIn(all).some((text) => text.startsWith('tok_')) && textsIn(all).some((text) => text.startsWith('scrypt$')),
  );
});

redaction('marks what it hides, also in lists, and leaves what is empty', () => {
  const value = { name: 'Ada', email: null, addresses: [{ id: 'adr_1', address: { city: 'Reno' } }], token: 'tok' };
  assert.equal(redacted('customer', value, false), {
    name: '[personal]',
    email: null,
    addresses: [{ id: 'adr_1', address: '[personal]' }],
    token: '[secret]',
  });
  assert.equal(redacted('product', { name: 'Tea' }, false), { name: 'Tea' });
});

redaction('the link to the customer’s bank shows nowhere, in no reason either', async () => {
  const shop = await startShop();
  try {
    const [guest, staff] = [await shop.guest(), await shop.staff()];
    const body = {
      ...expressOrder([{ sku: 'TEA-BLACK-100', quantity: 1 }]),
      payment: { token: 'tok_requires_action' },
    };
    const placed = await shop.call('POST', '/v1/orders', { token: guest, key: 'bank', body });
    const path = `/v1/orders/${placed.body.id}`;
    const { paymentRequest } = await shop.until(path, guest, (order) => order.awaiting === 'payment');
    assert.ok(paymentRequest.url.length > 10);
    for (const type of ['order', 'order-saga', 'payment']) {
      for (const part of ['', '/events?limit=100']) {
        const shown = await shop.call('GET', `/v1/admin/actors/${type}/${placed.body.id}${part}`, { token: staff });
        assert.is(shown.status, 200);
        assert.not.ok(JSON.stringify(shown.body).includes(paymentRequest.url), `${type}${part}`);
      }
    }
  } finally {
    await shop.close();
  }
});

redaction.run();
