/** What operators wrote and did about an order. */
import type { Order } from '../../actors/order/state.ts';
import { time } from './time.ts';

export function notesView({ notes = [] }: Order) {
  return notes.map(({ at, by, text }) => ({ at: time(at), by, text }));
}
