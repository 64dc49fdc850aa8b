/** A load balancer as a shop would have one: it asks each node whether it is ready, and sends clients to those that are. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterNode } from '../support/cluster.ts';
import { tryOnce } from './requests.ts';

const PROBE_MS = 250;
const PROBE_PATIENCE_MS = 1_000;

export type Balancer = {
  /** A node to ask, another one than those of the tries before if there is one. */
  pick(not?: string): ClusterNode;
  stop(): Promise<void>;
};

export function startBalancer(nodes: () => readonly ClusterNode[], random: () => number): Balancer {
  const ready = new Set<string>(nodes().map(({ name }) => name));
  const probing = new Set<string>();
  let going = true;

  async function probe(node: ClusterNode): Promise<void> {
    if (probing.has(node.name)) return;
    probing.add(node.name);
    const { status } = await tryOnce(node.url, { method: 'GET', path: '/readyz' }, PROBE_PATIENCE_MS);
    probing.delete(node.name);
    if (status === 200) ready.add(node.name);
    else ready.delete(node.name);
  }

  const loop = (async () => {
    while (going) {
      for (const node of nodes()) void probe(node);
      await pause(PROBE_MS);
    }
  })();

  return {
    pick(not) {
      const all = nodes();
      const fit = all.filter(({ name }) => ready.has(name));
      const others = fit.filter(({ name }) => name !== not);
      const candidates = others.length > 0 ? others : fit.length > 0 ? fit : all;
      const picked = candidates[Math.floor(random() * candidates.length)];
      if (!picked) throw new Error('there is no node');
      return picked;
    },
    async stop() {
      going = false;
      await loop;
    },
  };
}
