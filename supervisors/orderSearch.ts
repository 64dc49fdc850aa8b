/** The operators' search over all orders, piece by piece. */
import type { FoundOrder, OrderFilter, OrderPosition, OrderSearch } from '../storage/projections/orderSearch.ts';
import { otherWork } from './pieces.ts';

export type OrderQuery = {
  readonly filter: OrderFilter;
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: OrderPosition | undefined;
};

/** `next` is null at the end. A page may be short and still have a next one: then the search was paused. */
export type FoundOrders = { readonly orders: readonly FoundOrder[]; readonly next: OrderPosition | null };

/** Rows looked at in one go: some milliseconds. */
const PIECE = 500;
/** Rows that one request may look at before it answers with what it has. */
const MAX_EXAMINED = 20_000;

const positionOf = ({ at, orderId }: FoundOrder): OrderPosition => ({ at, orderId });

export async function searchOrders(search: OrderSearch, { filter, limit, after }: OrderQuery): Promise<FoundOrders> {
  const orders: FoundOrder[] = [];
  let examined = 0;
  // One more than asked for tells whether there is a next page; without other filters that is all it takes.
  for (let [position, length] = [after, limit + 1]; ; length = PIECE) {
    const piece = search.piece(filter, position, length);
    orders.push(...piece.found);
    const last = orders[limit - 1];
    if (orders.length > limit && last) return { orders: orders.slice(0, limit), next: positionOf(last) };
    if (piece.examined < length || piece.last === undefined) return { orders, next: null };
    position = piece.last;
    examined += piece.examined;
    if (examined >= MAX_EXAMINED) return { orders, next: position };
    await otherWork();
  }
}
