/** Whether a node may trust what it remembers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createContact } from '../../../supervisors/cluster/contact.ts';

const contacts = suite('contact');

function start() {
  const state = { now: 0, lastContact: 0 };
  const contact = createContact({
    limitMs: 2_000,
    clock: { monotonic: () => state.now },
    calls: {
      get lastContact() {
        return state.lastContact;
      },
    },
  });
  return {
    contact,
    at(now: number, lastContact: number) {
      state.now = now;
      state.lastContact = lastContact;
      contact.look();
      return { up: contact.up, breaks: contact.breaks };
    },
  };
}

contacts('it is up while the broker was heard within the limit', () => {
  const { at } = start();
  assert.equal(at(500, 400), { up: true, breaks: 0 });
  assert.equal(at(2_400, 400), { up: true, breaks: 0 });
  assert.equal(at(2_401, 400), { up: false, breaks: 0 });
});

contacts('a connection that was lost for longer than the limit is a break when it is back', () => {
  const { at } = start();
  at(1_000, 0);
  at(2_500, 0);
  assert.equal(at(3_000, 2_900), { up: true, breaks: 1 });
  assert.equal(at(3_500, 3_400), { up: true, breaks: 1 });
});

contacts('a process that was paused has had a break, whatever its connection says', () => {
  const { at } = start();
  for (let now = 250; now <= 1_000; now += 250) at(now, now);
  // Something that was sent long ago is read from the socket, and taken for news.
  assert.equal(at(31_000, 31_000), { up: true, breaks: 1 });
  const again = start();
  for (let now = 250; now <= 1_000; now += 250) again.at(now, 1_000);
  assert.equal(again.at(3_500, 3_000), { up: true, breaks: 1 });
});

contacts.run();
