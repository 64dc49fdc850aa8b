/** What every inbox must do, simulated or over a broker. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EnvelopeRefused, type Inbox, InboxUnavailable } from '../../actors/kernel/clusterPorts.ts';
import type { Envelope } from '../../actors/kernel/message.ts';
import { eventually, rejection } from '../support/eventually.ts';

export type InboxUnderTest = {
  readonly inbox: Inbox;
  /** Puts that it takes at once. */
  readonly maxInFlight: number;
};

type Taken = { readonly offset: number; readonly envelope: Envelope };

export function envelope(id: string, more: Partial<Envelope> = {}): Envelope {
  return {
    id,
    from: { type: 'order', id: 'ord_1' },
    to: { type: 'stock', id: 'sku_1' },
    message: { type: 'reserve' },
    ...more,
  };
}

/** Reads and keeps everything; `ids` in the order of arrival. */
export function collect(inbox: Inbox, shard: number, after = 0) {
  const taken: Taken[] = [];
  const following = inbox.read(shard, after, (offset, received) => {
    taken.push({ offset, envelope: received });
  });
  const ids = (): string[] => taken.map(({ envelope: { id } }) => id);
  const has = (count: number) => eventually(`${count} messages of shard ${shard}`, () => taken.length >= count);
  return { taken, ids, has, stop: following.stop };
}

const numbered = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, n) => `${prefix}#${n}`);

/** Run against inboxes that work; `shard` is another one for each test. */
export function inboxContract(name: string, subject: () => InboxUnderTest): void {
  const test = suite<{ shard: number }>(`inbox contract: ${name}`);
  let shards = 0;
  test.before.each((context) => {
    shards += 1;
    context.shard = shards;
  });

  test('put - what was put is handed over in order, with offsets that grow', async ({ shard }) => {
    const { inbox } = subject();
    for (const id of numbered(5, 'a')) await inbox.put(shard, envelope(id));
    const reader = collect(inbox, shard);
    await reader.has(5);
    for (const id of numbered(5, 'b')) await inbox.put(shard, envelope(id));
    await reader.has(10);
    reader.stop();
    assert.equal(reader.ids(), [...numbered(5, 'a'), ...numbered(5, 'b')]);
    assert.equal(
      reader.taken.map(({ offset }) => offset),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
  });

  test('put - the whole envelope travels, except for deadlines on the own clock', async ({ shard }) => {
    const { inbox } = subject();
    const whole = envelope('whole', {
      message: { type: 'note', text: 'Grüße, 東京', deadline: 'tomorrow' } as Envelope['message'],
      trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      by: 'staff:7',
      fingerprint: 'f00d',
      expectedVersion: 3,
    });
    const carrying = { ...whole, deadline: 12.5, carries: { ...whole, id: 'carried', deadline: 99 } };
    await inbox.put(shard, carrying);
    const reader = collect(inbox, shard);
    await reader.has(1);
    reader.stop();
    assert.equal(reader.taken[0]?.envelope, { ...whole, carries: { ...whole, id: 'carried' } });
  });

  test('put - the same id is stored once', async ({ shard }) => {
    const { inbox } = subject();
    const odd = ['a b', 'ümlaut/x#1.0', 'a%20b', '%', '=', 'line\nbreak'];
    for (const id of [...odd, ...odd, 'last']) await inbox.put(shard, envelope(id));
    const reader = collect(inbox, shard);
    await reader.has(odd.length + 1);
    reader.stop();
    assert.equal(reader.ids(), [...odd, 'last']);
  });

  test('put - many under way at once all arrive', async ({ shard }) => {
    const { inbox } = subject();
    const ids = numbered(1_000, 'c');
    const reader = collect(inbox, shard);
    await Promise.all(ids.map((id) => inbox.put(shard, envelope(id))));
    await reader.has(ids.length);
    reader.stop();
    assert.equal(reader.ids().sort(), [...ids].sort());
  });

  test('put - refuses more than its limit at once, and takes messages again afterwards', async ({ shard }) => {
    const { inbox, maxInFlight } = subject();
    const ids = numbered(maxInFlight, 'd');
    const puts = ids.map((id) => inbox.put(shard, envelope(id)));
    const refused = await rejection(inbox.put(shard, envelope('too many')));
    assert.instance(refused, InboxUnavailable);
    assert.is((refused as InboxUnavailable).retryable, true);
    await Promise.all(puts);
    await inbox.put(shard, envelope('again'));
  });

  test('put - refuses a message that is too large for good, and goes on', async ({ shard }) => {
    const { inbox } = subject();
    const large = envelope('large', {
      message: { type: 'note', text: 'x'.repeat(2 * 1024 * 1024) } as Envelope['message'],
    });
    assert.instance(await rejection(inbox.put(shard, large)), EnvelopeRefused);
    await inbox.put(shard, envelope('small'));
    const reader = collect(inbox, shard);
    await reader.has(1);
    reader.stop();
    assert.equal(reader.ids(), ['small']);
  });

  test('read - begins after the offset', async ({ shard }) => {
    const { inbox } = subject();
    for (const id of numbered(4, 'e')) await inbox.put(shard, envelope(id));
    const reader = collect(inbox, shard, 3);
    await reader.has(1);
    await inbox.put(shard, envelope('new'));
    await reader.has(2);
    reader.stop();
    assert.equal(reader.ids(), ['e#3', 'new']);
    assert.equal(reader.taken[0]?.offset, 4);
  });

  test('read - waits for the first message of an inbox that nobody has used', async ({ shard }) => {
    const { inbox } = subject();
    const reader = collect(inbox, shard);
    await inbox.put(shard, envelope('first'));
    await reader.has(1);
    reader.stop();
    assert.equal(reader.taken[0]?.offset, 1);
  });

  test('read - each shard gets its own messages only', async ({ shard }) => {
    const { inbox } = subject();
    const other = 1_000 + shard;
    const readers = [collect(inbox, shard), collect(inbox, other)] as const;
    await Promise.all([inbox.put(shard, envelope('mine')), inbox.put(other, envelope('yours'))]);
    for (const reader of readers) await reader.has(1);
    for (const reader of readers) reader.stop();
    assert.equal(readers[0].ids(), ['mine']);
    assert.equal(readers[1].ids(), ['yours']);
  });

  test('read - hands over one message at a time, also to a slow reader', async ({ shard }) => {
    const { inbox } = subject();
    const ids = numbered(600, 'f');
    const seen: string[] = [];
    let atOnce = 0;
    let most = 0;
    const following = inbox.read(shard, 0, async (_, { id }) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      seen.push(id);
    });
    for (const id of ids) await inbox.put(shard, envelope(id));
    await eventually('all messages', () => seen.length === ids.length);
    following.stop();
    assert.equal(seen, ids);
    assert.is(most, 1);
  });

  test('read - what could not be taken is handed over again before anything else', async ({ shard }) => {
    const { inbox } = subject();
    for (const id of numbered(3, 'g')) await inbox.put(shard, envelope(id));
    const seen: string[] = [];
    const following = inbox.read(shard, 0, async (_, { id }) => {
      seen.push(id);
      if (id === 'g#1' && seen.length < 4) throw new Error('not now');
    });
    await eventually('all messages', () => seen.includes('g#2'));
    following.stop();
    assert.equal(seen, ['g#0', 'g#1', 'g#1', 'g#1', 'g#2']);
  });

  test('read - ends when it is stopped, and goes on elsewhere from the offset', async ({ shard }) => {
    const { inbox } = subject();
    const first = collect(inbox, shard);
    await inbox.put(shard, envelope('before'));
    await first.has(1);
    first.stop();
    await inbox.put(shard, envelope('after'));
    const second = collect(inbox, shard, first.taken[0]?.offset ?? 0);
    await second.has(1);
    second.stop();
    assert.equal(first.ids(), ['before']);
    assert.equal(second.ids(), ['after']);
  });

  test('read - stopped by its own handler it hands over nothing more', async ({ shard }) => {
    const { inbox } = subject();
    for (const id of numbered(3, 'h')) await inbox.put(shard, envelope(id));
    const seen: string[] = [];
    const following = inbox.read(shard, 0, (_, { id }) => {
      seen.push(id);
      following.stop();
    });
    const witness = collect(inbox, shard);
    await eventually('the first message', () => seen.length > 0);
    await witness.has(3);
    witness.stop();
    assert.equal(seen, ['h#0']);
  });

  test('trim - takes nothing that lies after the offset', async ({ shard }) => {
    const { inbox } = subject();
    for (const id of numbered(10, 'i')) await inbox.put(shard, envelope(id));
    await inbox.trim(shard, 4);
    const reader = collect(inbox, shard, 4);
    await reader.has(6);
    reader.stop();
    assert.equal(
      reader.taken.map(({ offset }) => offset),
      [5, 6, 7, 8, 9, 10],
    );
  });

  test('trim - of nothing takes nothing', async ({ shard }) => {
    const { inbox } = subject();
    for (const id of numbered(3, 'k')) await inbox.put(shard, envelope(id));
    await inbox.trim(shard, 0);
    const reader = collect(inbox, shard);
    await reader.has(3);
    reader.stop();
    assert.equal(reader.ids(), numbered(3, 'k'));
  });

  test('trim - of everything leaves offsets as they were', async ({ shard }) => {
    const { inbox } = subject();
    for (const id of numbered(3, 'j')) await inbox.put(shard, envelope(id));
    await inbox.trim(shard, 3);
    await inbox.put(shard, envelope('next'));
    const reader = collect(inbox, shard);
    await reader.has(1);
    reader.stop();
    assert.equal(reader.taken, [{ offset: 4, envelope: envelope('next') }]);
  });

  test('trim - by an offset beyond the end takes nothing, now or later', async ({ shard }) => {
    const { inbox } = subject();
    for (const id of numbered(3, 'k')) await inbox.put(shard, envelope(id));
    await inbox.trim(shard, 10);
    await inbox.put(shard, envelope('next'));
    const reader = collect(inbox, shard);
    await reader.has(4);
    reader.stop();
    assert.equal(
      reader.taken.map(({ offset }) => offset),
      [1, 2, 3, 4],
    );
  });

  test.run();
}
