import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { customerOrdersDecider } from '../../actors/customerOrders.ts';
import { money } from '../../actors/kernel/money.ts';
import { specification, T0 } from '../support/spec.ts';

const index = specification(customerOrdersDecider, { id: 'cus_1' });
const news = {
  type: 'NoteOrder',
  orderId: 'ord_1',
  seq: 3,
  status: 'shipped',
  total: money(2_500, 'USD'),
  placedAt: T0,
} as const;
const noted = { ...news, type: 'OrderNoted', v: 1 } as const;

const customerOrders = suite('CustomerOrders');

customerOrders('notes what an order tells, with the number that orders it', () => {
  index.given().when(news).then(noted).sends();
});

customerOrders('leaves late and repeated news to the reader: the same news is the same event', () => {
  const { state } = index.given(noted).when({ ...news, seq: 2, status: 'confirmed' });
  index.from(state).when(news).then(noted);
});

customerOrders('stays small however many orders there are', () => {
  const many = Array.from({ length: 1_000 }, (_, seq) => ({ ...noted, orderId: `ord_${seq}`, seq }));
  assert.equal(index.given(...many).state, { noted: 1_000 });
});

customerOrders('lives with its customer', () => {
  assert.is(customerOrdersDecider.partitionKey('cus_1'), 'cus_1');
});

customerOrders.run();
