/** Nobody is shown what belongs to somebody else, and everybody is shown their own. */
import { type Exchange, type History, markedIn, markerOf } from '../exchange.ts';
import { type Facts, isAcknowledged } from '../facts.ts';
import { type Violation, violation } from '../violation.ts';

const ORDER_ID = /\bord_\w+/g;

export function checkForeign({ exchanges, staff }: History, { placings, looks }: Facts): Violation[] {
  const owners = new Map<string, string>();
  const marked = new Set<string>();
  for (const { exchange, order } of placings) {
    if (!order) continue;
    owners.set(order.id, exchange.client);
    if (JSON.stringify(exchange.body ?? null).includes(markerOf(exchange.client))) marked.add(order.id);
  }
  const mixed = looks.filter(({ order: { id, text } }) => {
    const owner = owners.get(id);
    return owner !== undefined && marked.has(id) && !text.includes(markerOf(owner));
  });
  return [
    ...exchanges.filter(({ client }) => !staff.has(client)).flatMap((exchange) => foreignIn(exchange, owners)),
    ...mixed.map(({ exchange, order }) =>
      violation('data.mixed', `${order.id} at ${exchange.node} is without what ${owners.get(order.id)} wrote`),
    ),
  ];
}

function foreignIn(exchange: Exchange, owners: ReadonlyMap<string, string>): Violation[] {
  const { client, node, method, path, text } = exchange;
  const shown = `${client} at ${node}, ${method} ${path}, was shown`;
  const markers = markedIn(text).filter((other) => other !== client);
  const orders = isAcknowledged(exchange) ? new Set([...text.matchAll(ORDER_ID)].map(([id]) => id)) : new Set<string>();
  const others = [...orders].filter((id) => (owners.get(id) ?? client) !== client);
  return [
    ...markers.map((other) => violation('data.foreign', `${shown} what ${other} wrote`)),
    ...others.map((id) => violation('data.foreign', `${shown} ${id} of ${owners.get(id)}`)),
  ];
}
