/** What every way between nodes must do, simulated or over a broker. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CallFailed,
  CallTimedOut,
  type Following,
  type Heartbeat,
  NobodyServes,
  type NodeCalls,
} from '../../actors/kernel/clusterPorts.ts';
import { eventually, rejection } from '../support/eventually.ts';

export type NodeCallsUnderTest = {
  /** Two nodes of one cluster. */
  readonly nodes: readonly [NodeCalls, NodeCalls];
  /** Calls that one node answers at once. */
  readonly maxServedAtOnce: number;
  /** Body that is larger than what can be sent. */
  readonly tooLarge: string;
  /** The nodes are connected to different ones. */
  readonly severalBrokers?: true;
};

const PATIENT_MS = 20_000;
/** Enough for any answer; what takes longer was lost. */
const LOST_MS = 3_000;

export function heartbeatOf(node: string, more: Partial<Heartbeat> = {}): Heartbeat {
  const shards = [
    { shard: 0, epoch: 17, position: 40 },
    { shard: 1, position: 3 },
  ];
  return {
    node,
    incarnation: 'inc_1',
    version: '1.2.3',
    state: 'active',
    address: 'http://[::1]:8080',
    shards,
    ...more,
  };
}

const never = (): Promise<never> => new Promise(() => undefined);

export function nodeCallsContract(name: string, subject: () => NodeCallsUnderTest): void {
  const test = suite<{ shard: number }>(`node calls contract: ${name}`);
  let shards = 0;
  let serving: Following[] = [];
  const during = (following: Following): void => void serving.push(following);
  test.before.each((context) => {
    shards += 1;
    context.shard = shards;
  });
  test.after.each(() => {
    for (const following of serving) following.stop();
    serving = [];
  });

  /** A subscription takes effect a little after it was made. */
  async function served(shard: number): Promise<void> {
    const { nodes } = subject();
    const answers = () =>
      nodes[1].ask(shard, 'are you there?', 1_000).then(
        () => true,
        () => false,
      );
    await eventually(`shard ${shard} is served`, answers);
  }

  test('ask - gets the answer of the node that serves the shard', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    during(owner.serve(shard, async (body) => ({ shard, body })));
    during(owner.serve(shard + 1_000, async () => 'another shard'));
    await served(shard);
    const body = { text: 'Grüße', numbers: [1, 2.5, null], nested: { yes: true } };
    assert.equal(await edge.ask(shard, body, PATIENT_MS), { shard, body });
  });

  test('ask - a question that is on its way when the serving ends gets a word', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    const outcomes: string[] = [];
    for (let round = 0; round < 20; round++) {
      const following = owner.serve(shard, async (body) => body);
      during(following);
      await served(shard);
      const asked = edge.ask(shard, round, LOST_MS).then(
        () => 'answered',
        (error: Error) => error.name,
      );
      // One moment later each time.
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      following.stop();
      outcomes.push(await asked);
    }
    // What one broker has passed on just before it hears from another that nobody serves any more is lost.
    const words = ['answered', 'NobodyServes', ...(subject().severalBrokers ? ['CallTimedOut'] : [])];
    assert.equal(
      [...new Set(outcomes)].filter((outcome) => !words.includes(outcome)),
      [],
    );
  });

  test('ask - a node reaches itself', async ({ shard }) => {
    const [owner] = subject().nodes;
    during(owner.serve(shard, async (body) => body));
    await served(shard);
    assert.is(await owner.ask(shard, 7, PATIENT_MS), 7);
  });

  test('ask - nothing and null are answers', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    during(owner.serve(shard, async (body) => body));
    await served(shard);
    assert.is(await edge.ask(shard, undefined, PATIENT_MS), undefined);
    assert.is(await edge.ask(shard, null, PATIENT_MS), null);
  });

  test('ask - each of many at once gets its own answer', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    during(
      owner.serve(shard, async (body) => {
        // Answered in another order than asked.
        for (let turns = (Number(body) * 7) % 13; turns > 0; turns -= 1)
          await new Promise((done) => setImmediate(done));
        return body;
      }),
    );
    await served(shard);
    const numbers = Array.from({ length: 500 }, (_, number) => number);
    assert.equal(await Promise.all(numbers.map((number) => edge.ask(shard, number, PATIENT_MS))), numbers);
  });

  test('ask - says at once that nobody serves the shard', async ({ shard }) => {
    const [, edge] = subject().nodes;
    assert.instance(await rejection(edge.ask(shard, 'anybody?', PATIENT_MS)), NobodyServes);
  });

  test('ask - nobody serves the shard any more once its node has stopped', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    const following = owner.serve(shard, async (body) => body);
    await served(shard);
    following.stop();
    // Until all brokers know it, a question may still be sent into the void.
    await eventually('the shard is not served', () =>
      edge.ask(shard, 'still?', 200).then(
        () => false,
        (error) => error instanceof NobodyServes,
      ),
    );
  });

  test('ask - gives up on an answer that does not come', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    during(owner.serve(shard, (body) => (body === 'hang' ? never() : Promise.resolve(body))));
    await served(shard);
    assert.instance(await rejection(edge.ask(shard, 'hang', 50)), CallTimedOut);
    assert.is(await edge.ask(shard, 'fine', PATIENT_MS), 'fine');
  });

  test('ask - tells the other side for how long somebody waits', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    during(owner.serve(shard, async (_, withinMs) => withinMs));
    await served(shard);
    const within = Number(await edge.ask(shard, 'how long?', 12_345));
    assert.ok(within > 0 && within <= 12_345, `${within} ms`);
  });

  test('ask - one that hangs does not keep the answer of another from counting', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    during(owner.serve(shard, never));
    during(edge.serve(shard, async (body) => body));
    await served(shard);
    assert.is(await edge.ask(shard, 'who is it?', 2_000), 'who is it?');
  });

  test('ask - learns why the other side failed, and whether to try again', async ({ shard }) => {
    const [owner, edge] = subject().nodes;
    during(
      owner.serve(shard, async (body) => {
        if (body === 'later') throw Object.assign(new Error('the shard moves'), { retryable: true });
        if (body === 'bug') throw new TypeError('no such thing');
        return body;
      }),
    );
    await served(shard);
    const later = await rejection(edge.ask(shard, 'later', PATIENT_MS));
    assert.instance(later, CallFailed);
    assert.match(later.message, 'the shard moves');
    assert.is((later as CallFailed).retryable, true);
    const bug = await rejection(edge.ask(shard, 'bug', PATIENT_MS));
    assert.match(bug.message, 'TypeError: no such thing');
    assert.is((bug as CallFailed).retryable, false);
    assert.is(await edge.ask(shard, 'fine', PATIENT_MS), 'fine');
  });

  test('ask - is told to try again by a node that answers too much already', async ({ shard }) => {
    const { nodes, maxServedAtOnce } = subject();
    const [owner, edge] = nodes;
    const waiting: (() => void)[] = [];
    during(
      owner.serve(shard, async (body) => {
        if (typeof body !== 'number') return body;
        await new Promise<void>((resolve) => waiting.push(resolve));
        return body;
      }),
    );
    await served(shard);
    let refusals = 0;
    const asks = Array.from({ length: maxServedAtOnce }, (_, number) =>
      edge.ask(shard, number, PATIENT_MS).catch(() => {
        refusals += 1;
      }),
    );
    // Answers that others still wait for, from the tests before, count too.
    await eventually('as many as can be are being answered', () => waiting.length + refusals === maxServedAtOnce);
    const refused = await rejection(edge.ask(shard, 'one more', PATIENT_MS));
    assert.instance(refused, CallFailed);
    assert.is((refused as CallFailed).retryable, true);
    assert.ok(waiting.length > maxServedAtOnce / 2, `only ${waiting.length} were being answered`);
    for (const answer of waiting) answer();
    await Promise.all(asks);
    assert.is(await edge.ask(shard, 'and now', PATIENT_MS), 'and now');
  });

  test('ask - too large a question or answer fails clearly', async ({ shard }) => {
    const { nodes, tooLarge } = subject();
    const [owner, edge] = nodes;
    during(owner.serve(shard, async (body) => (body === 'much' ? tooLarge : 'ok')));
    await served(shard);
    assert.instance(await rejection(edge.ask(shard, tooLarge, PATIENT_MS)), CallFailed);
    const answer = await rejection(edge.ask(shard, 'much', PATIENT_MS));
    assert.instance(answer, CallFailed);
    assert.match(answer.message, /large|bytes/);
    assert.is(await edge.ask(shard, 'little', PATIENT_MS), 'ok');
  });

  test('ask - answers that never come do not keep a node from answering others', async ({ shard }) => {
    const { nodes, maxServedAtOnce } = subject();
    const [owner, edge] = nodes;
    during(owner.serve(shard, (body) => (body === 'hang' ? never() : Promise.resolve(body))));
    await served(shard);
    const hanging = Array.from({ length: maxServedAtOnce }, () => rejection(edge.ask(shard, 'hang', 100)));
    await Promise.all(hanging);
    await eventually('it answers again', () =>
      edge.ask(shard, 'fine', 1_000).then(
        () => true,
        () => false,
      ),
    );
  });

  test('askNode - reaches exactly the node of that name', async () => {
    const [one, other] = subject().nodes;
    const names = ['node-1', 'node-10', 'rack.1', 'rack.*', 'rack.>', 'a b', 'ä', 'A', 'a', '=41', '$SYS'];
    for (const node of names) during(one.serveNode(node, async (body) => ({ node, body })));
    for (const node of names) {
      await eventually(`${node} answers`, () =>
        other.askNode(node, 0, 1_000).then(
          () => true,
          () => false,
        ),
      );
      assert.equal(await other.askNode(node, 'who?', PATIENT_MS), { node, body: 'who?' });
    }
    assert.instance(await rejection(other.askNode('rack.2', 'who?', PATIENT_MS)), NobodyServes);
  });

  test('askNode - a name that no node can have is refused', async () => {
    const [one, other] = subject().nodes;
    assert.throws(() => one.serveNode('', async (body) => body), /name/);
    assert.match((await rejection(other.askNode('', 0, PATIENT_MS))).message, 'name');
  });

  test('announce - every node hears it, the announcing one too, until it stops listening', async () => {
    const [one, other] = subject().nodes;
    const heard: { readonly by: string; readonly heartbeat: Heartbeat }[] = [];
    const byOne = one.heard((heartbeat) => heard.push({ by: 'one', heartbeat }));
    during(other.heard((heartbeat) => heard.push({ by: 'other', heartbeat })));
    const count = (by: string, node: string): number =>
      heard.filter((entry) => entry.by === by && entry.heartbeat.node === node).length;
    await eventually('both hear', () => {
      one.announce(heartbeatOf('node.one'));
      return count('one', 'node.one') > 0 && count('other', 'node.one') > 0;
    });
    assert.equal(heard[0]?.heartbeat, heartbeatOf('node.one'));
    byOne.stop();
    await eventually('the other still hears', () => {
      other.announce(heartbeatOf('node.two', { state: 'draining', shards: [] }));
      return count('other', 'node.two') > 1;
    });
    assert.is(count('one', 'node.two'), 0);
  });

  test('lastContact - moves on while the connection is up', async () => {
    const [one] = subject().nodes;
    const before = one.lastContact;
    await eventually('a newer contact', () => {
      one.announce(heartbeatOf('node.one'));
      return one.lastContact > before;
    });
  });

  test.run();
}
