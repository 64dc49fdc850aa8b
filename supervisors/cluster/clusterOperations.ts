/**
 * Operators' questions in a cluster: about an actor they go to the node that has its shard, about a node to that node, about
 * all to all. Nothing is asked twice: an operator sees what went wrong and asks again.
 */
import type { Logger } from 'pino';
import type { Address } from '../../actors/kernel/address.ts';
import { CallFailed, CallTimedOut, NobodyServes, type NodeCalls } from '../../actors/kernel/clusterPorts.ts';
import type { DrainAnswer, LocalOperations, Operations } from '../operations.ts';
import { Unavailable } from '../shop.ts';
import type { ClusterView } from './clusterView.ts';
import { asDrainAnswer, asHeld, asInsideActor, asNodeQuestion, type NodeQuestion } from './nodeQuestions.ts';

const ASK_MS = 3_000;
const RETRY_AFTER_MS = 1_000;

export type ClusterOperationsOptions = {
  readonly local: LocalOperations;
  readonly shardOf: (address: Address) => number;
  readonly view: () => ClusterView;
  readonly calls: Pick<NodeCalls, 'askNode'>;
  /** Begins to give the shards away; resolves once that is done. */
  readonly drain: () => Promise<void>;
  /** Actors of this node may be killed, whoever asks. */
  readonly chaos: boolean;
  readonly logger: Logger;
};

export type ClusterOperations = Omit<Operations, 'inboxLags' | 'checkpoint'> & {
  /** To what other nodes ask this one by name; undefined if it isn't an operator's question. */
  answer(body: unknown): Promise<unknown> | undefined;
};

export function createClusterOperations(options: ClusterOperationsOptions): ClusterOperations {
  const { local, shardOf, view, calls, logger } = options;

  async function askNode(node: string, question: NodeQuestion): Promise<unknown> {
    try {
      return await calls.askNode(node, question, ASK_MS);
    } catch (error) {
      if (error instanceof NobodyServes || error instanceof CallTimedOut || error instanceof CallFailed) {
        throw new Unavailable(`node ${node} did not answer: ${error.message}`, RETRY_AFTER_MS);
      }
      throw error;
    }
  }

  async function atOwner<Value>(
    question: NodeQuestion & { readonly address: Address },
    here: () => Promise<Value>,
    decode: (body: unknown) => Value,
  ): Promise<Value> {
    const shard = shardOf(question.address);
    const { me, shards } = view();
    const owner = shards[shard]?.owner;
    if (owner === undefined) throw new Unavailable(`nobody has shard ${shard} just now`, RETRY_AFTER_MS);
    return owner === me ? here() : decode(await askNode(owner, question));
  }

  function drainHere(): DrainAnswer {
    const { me, nodes, shards } = view();
    const heirs = nodes.filter(({ node, state }) => node !== me && state === 'active').map(({ node }) => node);
    if (heirs.length === 0) {
      return { kind: 'refused', reason: 'No other node is there to take the shards: the shop would stand still.' };
    }
    options.drain().catch((error) => logger.error({ err: error }, 'this node could not give its shards away'));
    const owned = shards.filter(({ owner }) => owner === me).map(({ shard }) => shard);
    return { kind: 'draining', shards: owned, heirs };
  }

  async function quarantined(): ReturnType<Operations['quarantined']> {
    const { me, nodes } = view();
    const others = nodes.filter(({ node, state }) => node !== me && state !== 'dead').map(({ node }) => node);
    const own = await local.quarantined();
    const answers = await Promise.all(
      others.map(async (node) => {
        try {
          return { node, held: asHeld(await askNode(node, { kind: 'quarantined' })) };
        } catch (error) {
          logger.warn({ err: error, node }, 'a node did not say which actors it keeps in quarantine');
          return { node };
        }
      }),
    );
    return {
      held: [...own.held, ...answers.flatMap(({ held = [] }) => held)],
      silent: answers.filter(({ held }) => held === undefined).map(({ node }) => node),
    };
  }

  async function answerQuestion(question: NodeQuestion): Promise<unknown> {
    switch (question.kind) {
      case 'inside':
        return local.inside(question.address);
      case 'kill':
        await local.kill(question.address);
        return {};
      case 'quarantined':
        return { held: (await local.quarantined()).held };
      case 'drain':
        return drainHere();
      default:
        return question satisfies never;
    }
  }

  return {
    inside: (address) => atOwner({ kind: 'inside', address }, () => local.inside(address), asInsideActor),
    kill: (address) =>
      atOwner(
        { kind: 'kill', address },
        () => local.kill(address),
        () => undefined,
      ),
    quarantined,
    async drainNode(name) {
      const { me, nodes } = view();
      if (name === me) return drainHere();
      const state = nodes.find(({ node }) => node === name)?.state;
      if (state === undefined) return { kind: 'unknown' };
      if (state === 'dead') {
        return {
          kind: 'refused',
          reason: `Node ${name} is not heard any more: the others have its shards or take them.`,
        };
      }
      return asDrainAnswer(await askNode(name, { kind: 'drain' }));
    },
    answer(body) {
      const question = asNodeQuestion(body);
      if (!question || (question.kind === 'kill' && !options.chaos)) return undefined;
      return answerQuestion(question);
    },
  };
}
