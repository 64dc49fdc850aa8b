/** Reads in real time: whoever begins to look after somebody was told sees no less than that. */
import type { Sighting } from '../facts.ts';
import { type Violation, violation } from '../violation.ts';

/** All sightings of one thing. Every answer names a version that was there when it came. */
export function fresh(all: readonly Sighting[]): Violation[] {
  const known = all.toSorted((a, b) => a.exchange.until - b.exchange.until);
  const reads = all.filter(({ isRead }) => isRead).toSorted((a, b) => a.exchange.from - b.exchange.from);
  const found: Violation[] = [];
  let newest: Sighting | undefined;
  const own = new Map<string, number>();
  let next = 0;
  for (const { exchange, subject, version } of reads) {
    for (let one = known[next]; one && one.exchange.until < exchange.from; one = known[++next]) {
      if (!newest || one.version > newest.version) newest = one;
      const { client } = one.exchange;
      own.set(client, Math.max(one.version, own.get(client) ?? 0));
    }
    if (!newest || version >= newest.version) continue;
    const { client, node } = exchange;
    const before = `after ${newest.version} at ${newest.exchange.node}`;
    const code = version < (own.get(client) ?? 0) ? 'read.back' : 'read.stale';
    found.push(violation(code, `${client} was shown version ${version} of ${subject} at ${node}, ${before}`));
  }
  return found;
}

/** All sightings of one version. */
export function sameContent([first, ...others]: readonly Sighting[]): Violation[] {
  return others
    .filter(({ content }) => content !== first?.content)
    .map(({ exchange, subject, version, content }) => {
      const text = `${exchange.node} shows ${content} as version ${version} of ${subject}, ${first?.exchange.node} ${first?.content}`;
      return violation('version.two-contents', text);
    });
}
