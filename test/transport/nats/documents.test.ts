/** Documents that nodes share: one winner for each revision, on one broker and on three. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerConnection } from '../../../transport/nats/connection.ts';
import { createDocuments, type Documents, tokenOf } from '../../../transport/nats/documents.ts';
import { ensureStream } from '../../../transport/nats/streams.ts';
import { until, withBroker, withBrokers } from '../../support/broker.ts';
import { withNodes } from '../../support/nodesAtBroker.ts';

const documents = suite('shared documents');
const STREAM = 'shop-documents';
const ROUNDS = 20;

async function opened(nodes: readonly BrokerConnection[], replicas: number): Promise<Documents[]> {
  for (const { manager } of nodes.slice(0, 1)) {
    await ensureStream(manager, {
      name: STREAM,
      subjects: ['shop.documents.*'],
      replicas,
      duplicateWindowMs: 120_000,
      denyDelete: true,
      messagesPerSubject: 1,
    });
  }
  return nodes.map((node) => createDocuments(node, STREAM));
}

/** All replace the same revision at once, again and again; the newest value is always the one winner's. */
async function compete(url: string, replicas: number): Promise<void> {
  await withNodes(url, 3, async (nodes) => {
    const [first, ...others] = await opened(nodes, replicas);
    if (first === undefined) throw new Error('no node');
    const contenders = [first, ...others, first, ...others];
    let revision = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const outcomes = await Promise.all(
        contenders.map((each, number) => each.write('shop.documents.a', { round, number }, revision)),
      );
      const winner = outcomes.indexOf('written');
      const lost = outcomes.filter((outcome) => outcome === 'overtaken').length;
      assert.equal([outcomes.includes('written'), lost], [true, contenders.length - 1], `${outcomes}`);
      const newest = await first.read('shop.documents.a');
      assert.equal(newest.value, { round, number: winner });
      assert.ok(newest.revision > revision);
      revision = newest.revision;
    }
  });
}

documents('of many writers of one revision exactly one wins', () => withBroker(({ url }) => compete(url, 1)));

documents('so it is with three brokers', () => withBrokers(3, ({ url }) => compete(url, 3)));

documents('there is nothing until something is written, and each subject has its own revisions', () =>
  withBroker(({ url }) =>
    withNodes(url, 1, async (nodes) => {
      const [only] = await opened(nodes, 1);
      assert.equal(await only?.read('shop.documents.a'), { value: undefined, revision: 0 });
      assert.is(await only?.write('shop.documents.a', 'a', 0), 'written');
      assert.is(await only?.write('shop.documents.b', 'b', 0), 'written');
      assert.is(await only?.write('shop.documents.a', 'again', 0), 'overtaken');
      assert.is((await only?.read('shop.documents.a'))?.value, 'a');
    }),
  ),
);

documents('without a connection nothing is written, now or later', () =>
  withBroker(({ url, kill }) =>
    withNodes(url, 1, async (nodes) => {
      const [only] = await opened(nodes, 1);
      await kill();
      await until('the lost connection is noticed', () => nodes[0]?.connected === false);
      const error = await only?.write('shop.documents.a', 'a', 0).catch((caught: Error) => caught);
      assert.is(error instanceof Error && error.name, 'BrokerUnreachable');
    }),
  ),
);

documents('a stream that somebody deleted is named', () =>
  withBroker(({ url }) =>
    withNodes(url, 1, async (nodes) => {
      const [only] = await opened(nodes, 1);
      await nodes[0]?.manager.streams.delete(STREAM);
      const reading = await only?.read('shop.documents.a').catch((caught: Error) => caught);
      assert.is(reading instanceof Error && reading.name, 'StreamMissing');
      const writing = await only?.write('shop.documents.a', 'a', 0).catch((caught: Error) => caught);
      assert.is(writing instanceof Error && writing.name, 'StreamUnavailable');
    }),
  ),
);

documents('any text is one token, and no two are the same', () => {
  const texts = ['', '=', 'a', 'a.b', 'a=2e=b', 'a b', '*', '>', 'é', '😀', 'A-b_9', 'a\n'];
  const tokens = texts.map(tokenOf);
  for (const token of tokens) assert.match(token, /^[A-Za-z0-9_=-]+$/);
  assert.is(new Set(tokens).size, texts.length);
  assert.is(tokenOf('A-b_9'), 'A-b_9');
});

documents.run();
