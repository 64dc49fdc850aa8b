/** Dead letters and quarantines in the hands of an operator: nothing lost, nothing doubled, everything on record. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reply } from '../../actors/kernel/message.ts';
import { createVirtualClock } from '../../supervisors/clock.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';
import { QUARANTINE_MS } from '../../supervisors/quarantine.ts';
import type { RepairCommand } from '../../supervisors/repairs.ts';
import { startRuntime, type TestRuntime, type TestRuntimeOptions } from '../support/runtime.ts';
import { type WalletCommand, type WalletState, wallet, walletDecider } from '../support/wallets.ts';

const letters = suite('dead letters');

/** A version of the code in which `Receive` of 13 is a bug, until it is fixed. */
type Bug = { fixed: boolean };

function buggy(bug: Bug): Readonly<Record<string, AnyDecider>> {
  return {
    wallet: {
      ...walletDecider,
      decide(state: WalletState, command: WalletCommand, context: never) {
        if (command.type === 'Receive' && command.amount === 13 && !bug.fixed) throw new Error('thirteen');
        return walletDecider.decide(state, command, context);
      },
    } as unknown as AnyDecider,
  };
}

type Scene = { shop: TestRuntime; readonly bug: Bug };

function open(options: Partial<TestRuntimeOptions> = {}): Scene {
  const bug = { fixed: false };
  return { bug, shop: startRuntime({ deciders: buggy(bug), shards: 2, ...options }) };
}

const settled = async ({ shop }: Scene): Promise<void> => assert.is(await shop.node.settled(10_000), true);
const balance = async ({ shop }: Scene, id: string): Promise<number> =>
  (await shop.state<WalletState>(wallet(id)))?.balance ?? 0;

/** `rich` pays 13 to somebody who can't take it. */
async function failToPay(scene: Scene, to = 'b'): Promise<string> {
  const { shop } = scene;
  await shop.ask(wallet('rich'), { type: 'Deposit', amount: 13 } as never);
  await shop.ask(wallet('rich'), { type: 'Pay', to, amount: 13 } as never);
  await settled(scene);
  const letter = shop.letters.page({ limit: 100 }).find(({ key }) => key === `${to}/wallet`);
  if (!letter) throw new Error('no dead letter');
  return letter.envelope.id;
}

function repair({ shop }: Scene, type: RepairCommand['type'], message: string, id?: string, to = 'b'): Promise<Reply> {
  const command = type === 'LiftQuarantine' ? { type } : { type, message, why: 'Fixed.' };
  return shop.ask(wallet(to), command, id, { by: 'ada', ...(id !== undefined && { fingerprint: 'f' }) });
}

const outbox = ({ shop }: Scene) => shop.db.prepare('SELECT count(*) FROM outbox').pluck().get();

letters('requeued once the bug is fixed it is handled under its own id, and is a letter no more', async () => {
  const scene = open();
  const { shop } = scene;
  const id = await failToPay(scene);
  scene.bug.fixed = true;
  assert.is((await repair(scene, 'RequeueDeadLetter', id)).ok, true);
  await settled(scene);
  assert.is(await balance(scene, 'b'), 13);
  assert.is(shop.letters.count(), 0);
  const causes = [...shop.store.history('b/wallet')].map(({ cause }) => cause);
  assert.equal([causes.filter((cause) => cause === id).length, causes.at(-1)], [2, id]);
  const gone = await repair(scene, 'RequeueDeadLetter', id);
  assert.is(gone.ok ? '' : gone.rejection.code, 'dead-letter.unknown');
  await shop.close();
});

letters('a requeue is on record with who, why and what, newest first', async () => {
  const scene = open();
  const first = await failToPay(scene);
  await repair(scene, 'RequeueDeadLetter', first);
  await settled(scene);
  await repair(scene, 'DiscardDeadLetter', first);
  const { letters: stored } = scene.shop;
  const [discarded, requeued] = stored.repairs(Number.MAX_SAFE_INTEGER, 10);
  assert.equal([discarded?.kind, requeued?.kind], ['discard', 'requeue']);
  const { by, why, key, type, reason, attempts } = requeued ?? {};
  assert.equal([by, why, key, type], ['ada', 'Fixed.', 'b/wallet', 'Receive']);
  assert.equal([reason, attempts, discarded?.attempts], ['Error: thirteen', 3, 6]);
  const id = requeued?.letter ?? '';
  assert.equal(
    stored.repairsOf(id).map(({ kind }) => kind),
    ['requeue', 'discard'],
  );
  assert.equal(stored.repairs(discarded?.position ?? 0, 10), [requeued]);
  assert.equal(stored.owner(id), { key: 'b/wallet', messageId: first }, 'also when it is a letter no more');
  await scene.shop.close();
});

letters('one that fails again comes back under the same name with its attempts counted on', async () => {
  const scene = open();
  const id = await failToPay(scene);
  const [before] = scene.shop.letters.page({ limit: 1 });
  for (const attempts of [6, 9]) {
    await repair(scene, 'RequeueDeadLetter', id);
    await settled(scene);
    const [after] = scene.shop.letters.page({ limit: 10 });
    assert.equal([after?.id, after?.attempts], [before?.id, attempts]);
  }
  scene.bug.fixed = true;
  await repair(scene, 'RequeueDeadLetter', id);
  await settled(scene);
  assert.is(await balance(scene, 'b'), 13);
  await scene.shop.close();
});

letters('a discarded one is answered for ever: neither its sender nor a requeue brings it back', async () => {
  const scene = open();
  const { shop, bug } = scene;
  const id = await failToPay(scene);
  const [letter] = shop.letters.page({ limit: 1 });
  await repair(scene, 'DiscardDeadLetter', id);
  bug.fixed = true;
  assert.is((await repair(scene, 'RequeueDeadLetter', id)).ok, false);
  if (letter) assert.is((await shop.send(letter.envelope)).kind, 'done');
  assert.equal([shop.letters.count(), await balance(scene, 'b')], [0, 0]);
  await shop.close();
});

letters('a repeated requeue under one key is the first one again, and delivers nothing twice', async () => {
  const scene = open();
  const id = await failToPay(scene);
  scene.bug.fixed = true;
  const [first, second] = await Promise.all([
    repair(scene, 'RequeueDeadLetter', id, 'key'),
    repair(scene, 'RequeueDeadLetter', id, 'key'),
  ]);
  assert.equal([first.ok, second.ok, second.replayed], [true, true, true]);
  await settled(scene);
  assert.is((await repair(scene, 'RequeueDeadLetter', id, 'key')).replayed, true);
  assert.is(await balance(scene, 'b'), 13);
  assert.is(scene.shop.letters.repairs(Number.MAX_SAFE_INTEGER, 10).length, 1);
  await scene.shop.close();
});

letters('its sender, repeating it after the requeue, is the one delivery or finds it answered', async () => {
  const scene = open();
  const { shop, bug } = scene;
  const id = await failToPay(scene);
  const [letter] = shop.letters.page({ limit: 1 });
  bug.fixed = true;
  const asked = repair(scene, 'RequeueDeadLetter', id);
  if (letter) await Promise.all([shop.send(letter.envelope), shop.send(letter.envelope)]);
  await asked;
  await settled(scene);
  assert.is(await balance(scene, 'b'), 13);
  await shop.close();
});

for (const snapshots of [0, 70]) {
  const hidden = snapshots > 0 ? ', with a snapshot over each step' : '';
  letters(`a crash between requeue, delivery and acknowledgement neither loses nor doubles it${hidden}`, async () => {
    let refuse = false;
    const scene = open({
      wrapLog: (log) => ({ append: (record) => (refuse ? new Promise(() => {}) : log.append(record)) }),
    });
    const cover = async () => {
      for (let deposit = 0; deposit < snapshots; deposit++)
        await scene.shop.ask(wallet('b'), { type: 'Deposit', amount: 0 } as never, `${performance.now()}`);
    };
    const id = await failToPay(scene);
    await cover();
    await repair(scene, 'RequeueDeadLetter', id);
    // The requeue is durable, what it causes isn't: the process dies with it.
    refuse = true;
    const carriers = scene.shop.db.prepare("SELECT count(*) FROM outbox WHERE id LIKE 'b/wallet#%'").pluck();
    assert.is(carriers.get(), 1);
    scene.shop = await scene.shop.crash();
    refuse = false;
    await settled(scene);
    assert.equal([scene.shop.letters.count(), scene.shop.letters.page({ limit: 1 })[0]?.attempts], [1, 6]);
    await cover();
    scene.bug.fixed = true;
    await repair(scene, 'RequeueDeadLetter', id);
    await settled(scene);
    // Its acknowledgement is not written yet: it is delivered again and answered already.
    scene.shop = await scene.shop.crash();
    await settled(scene);
    await cover();
    assert.equal([scene.shop.letters.count(), await balance(scene, 'b')], [0, 13]);
    const deadline = performance.now() + 10_000;
    while (outbox(scene) !== 0 && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    assert.is(outbox(scene), 0, 'the outbox is empty in the end');
    scene.shop = await scene.shop.crash();
    await settled(scene);
    assert.is(await balance(scene, 'b'), 13);
    await scene.shop.close();
  });
}

letters('a timer that was given up rings when it is requeued', async () => {
  const clock = createVirtualClock(1_000_000);
  const scene = open({ clock });
  await scene.shop.ask(wallet('b'), { type: 'PayLater', at: 1_000_500, amount: 13 } as never);
  await clock.advance(1_000, () => settled(scene));
  const deadline = performance.now() + 10_000;
  while (scene.shop.letters.count() === 0 && performance.now() < deadline) await settled(scene);
  const [letter] = scene.shop.letters.page({ limit: 1 });
  assert.is(letter?.envelope.from, undefined);
  await repair(scene, 'RequeueDeadLetter', letter?.envelope.id ?? '');
  await settled(scene);
  assert.is(scene.shop.letters.page({ limit: 1 })[0]?.attempts, 6, 'it is not mistaken for a request of the edge');
  scene.bug.fixed = true;
  await repair(scene, 'RequeueDeadLetter', letter?.envelope.id ?? '');
  await settled(scene);
  assert.is(await balance(scene, 'b'), 13);
  await scene.shop.close();
});

letters('they are paged newest first and picked by type and reason', async () => {
  const scene = open();
  for (const to of ['b', 'c', 'd', 'e']) await failToPay(scene, to);
  const { letters: stored } = scene.shop;
  const all = stored.page({ limit: 10 });
  assert.is(all.length, 4);
  const [, second] = all;
  assert.equal(stored.page({ limit: 2, ...(second && { after: second }) }), all.slice(2));
  assert.is(stored.page({ limit: 10, type: 'Receive', reason: 'THIRT' }).length, 4);
  assert.is(stored.page({ limit: 10, type: 'Rec' }).length, 0);
  assert.is(stored.page({ limit: 10, reason: 'fourteen' }).length, 0);
  assert.is(stored.find('dlt_nothing'), undefined);
  assert.is(stored.owner('dlt_nothing'), undefined);
  await scene.shop.close();
});

/** Crashes an actor until it is in quarantine. */
async function quarantine(scene: Scene, id = 'b'): Promise<void> {
  for (let bomb = 0; bomb < 5; bomb++)
    await scene.shop.send({ id: `${id}${bomb}`, to: wallet(id), message: { type: 'Explode' } });
}

const deposit = ({ shop }: Scene, id: string, message: string) =>
  shop.send({ id: message, to: wallet(id), message: { type: 'Deposit', amount: 1 } as never });

letters('a quarantine is seen with its reason and ends by business time', async () => {
  const clock = createVirtualClock(1_000_000);
  const scene = open({ clock });
  await quarantine(scene);
  assert.equal(scene.shop.node.quarantined, [
    { key: 'b/wallet', reason: 'Error: boom', since: 1_000_000, until: 1_000_000 + QUARANTINE_MS },
  ]);
  await clock.advance(QUARANTINE_MS - 1, async () => {});
  assert.is((await deposit(scene, 'b', 'early')).kind, 'unavailable');
  await clock.advance(1, async () => {});
  assert.is((await deposit(scene, 'b', 'later')).kind, 'done');
  assert.equal(scene.shop.node.quarantined, []);
  await scene.shop.close();
});

letters('an operator ends a quarantine, on record; there is none to end twice', async () => {
  const scene = open();
  await quarantine(scene);
  assert.is((await deposit(scene, 'b', 'x')).kind, 'unavailable');
  assert.is((await repair(scene, 'LiftQuarantine', '')).ok, true);
  assert.is((await deposit(scene, 'b', 'x')).kind, 'done');
  const again = await repair(scene, 'LiftQuarantine', '');
  assert.is(again.ok ? '' : again.rejection.code, 'actor.not-quarantined');
  const [recorded, ...more] = scene.shop.letters.repairs(Number.MAX_SAFE_INTEGER, 10);
  assert.equal([recorded?.kind, recorded?.by, recorded?.letter, more.length], ['lift-quarantine', 'ada', null, 0]);
  await scene.shop.close();
});

letters('requeueing a letter of a quarantined actor ends its quarantine; discarding one does not', async () => {
  const scene = open();
  const kept = await failToPay(scene);
  scene.bug.fixed = true;
  const held = () => scene.shop.node.quarantined.map(({ key }) => key);
  await quarantine(scene);
  assert.equal(held(), ['b/wallet']);
  await repair(scene, 'RequeueDeadLetter', kept);
  await settled(scene);
  assert.equal([held(), await balance(scene, 'b')], [[], 13]);
  scene.bug.fixed = false;
  const lost = await failToPay(scene, 'c');
  await quarantine(scene, 'c');
  assert.is((await repair(scene, 'DiscardDeadLetter', lost, undefined, 'c')).ok, true);
  assert.equal(held(), ['c/wallet']);
  await scene.shop.close();
});

letters('killing an actor neither ends its quarantine nor loses what waits or what is tried again', async () => {
  const scene = open();
  const { shop } = scene;
  await quarantine(scene);
  shop.node.shardFor(wallet('b'))?.kill(wallet('b'));
  assert.is((await deposit(scene, 'b', 'x')).kind, 'unavailable');
  // Bombs back off between their tries while the actor is killed again and again.
  const sent = Array.from({ length: 60 }, (_, index) =>
    index % 20 === 7
      ? shop.send({ id: `bomb${index}`, to: wallet('a'), message: { type: 'Explode' } })
      : deposit(scene, 'a', `d${index}`),
  );
  let waiting = true;
  const all = Promise.all(sent).finally(() => {
    waiting = false;
  });
  while (waiting) {
    shop.node.shardFor(wallet('a'))?.kill(wallet('a'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const kinds = (await all).map(({ kind }) => kind);
  assert.equal(
    [kinds.filter((kind) => kind === 'done').length, kinds.filter((kind) => kind === 'failed').length],
    [57, 3],
  );
  assert.is(await balance(scene, 'a'), 57);
  await shop.close();
});

letters.run();
