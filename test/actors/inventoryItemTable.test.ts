/** Every state of a reservation × every message: what is recorded and what is answered, never a throw. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InventoryCommand, inventoryDecider } from '../../actors/inventoryItem.ts';
import { assertReplays, play, type Step } from '../support/play.ts';
import { T0 } from '../support/spec.ts';
import { checkedInventory, commit, expire, ITEM, pick, receive, release, reserve, ship } from '../support/stock.ts';

const EXPIRED_AT = T0 + 30 * 60_000;

const states: Record<string, readonly Step<InventoryCommand>[]> = {
  fresh: [],
  stocked: [receive(20)],
  held: [receive(20), reserve('r1', 4)],
  committed: [receive(20), reserve('r1', 4), commit('r1')],
  picked: [receive(20), reserve('r1', 4), commit('r1'), pick('r1')],
  shipped: [receive(20), reserve('r1', 4), commit('r1'), pick('r1'), ship('r1')],
  released: [receive(20), reserve('r1', 4), release('r1')],
  expired: [receive(20), reserve('r1', 4), { at: EXPIRED_AT, command: expire('r1') }],
  refused: [receive(2), reserve('r1', 4)],
  prevented: [receive(20), release('r1')],
};

/** Recorded events → answer, `-`: nothing; or the code of the rejection. */
const table: Record<string, Record<InventoryCommand['type'], string>> = {
  fresh: {
    ...row('ReservationRejected → StockRefused', '- → StockCommitRefused', 'ReservationPrevented → StockReleased'),
    TransferStock: 'stock.insufficient',
    QuarantineStock: 'stock.insufficient',
  },
  stocked: row('StockReserved → StockReserved', '- → StockCommitRefused', 'ReservationPrevented → StockReleased'),
  held: {
    ...row('- → StockReserved', 'ReservationCommitted → StockCommitted', 'ReservationReleased → StockReleased'),
    PickReservation: 'ReservationCommitted StockPicked → -',
    ShipReservation: 'ReservationCommitted StockPicked StockShipped → -',
    ExpireReservation: 'ReservationExpired → StockExpired',
  },
  committed: {
    ...row('- → StockReserved', '- → StockCommitted', 'ReservationReleased → StockReleased'),
    PickReservation: 'StockPicked → -',
    ShipReservation: 'StockPicked StockShipped → -',
  },
  picked: {
    ...row('- → StockReserved', '- → StockCommitted', 'ReservationReleased → StockReleased'),
    ShipReservation: 'StockShipped → -',
  },
  shipped: row('- → StockReserved', '- → StockCommitted', '- → StockReleased'),
  released: row('- → StockRefused', '- → StockCommitRefused', '- → StockReleased'),
  expired: row('- → StockRefused', '- → StockCommitRefused', '- → StockReleased'),
  refused: row('- → StockRefused', '- → StockCommitRefused', '- → StockReleased'),
  prevented: row('- → StockRefused', '- → StockCommitRefused', '- → StockReleased'),
};

function row(ReserveStock: string, CommitReservation: string, ReleaseReservation: string) {
  const unmoved = {
    AllocateBackorders: '- → -',
    PickReservation: '- → -',
    ShipReservation: '- → -',
    ExpireReservation: '- → -',
  };
  const counted = {
    ReceiveStock: 'StockReceived → figures',
    AdjustStock: 'StockAdjusted → figures',
    RestockReturned: 'StockRestocked → figures',
    ExpectDelivery: 'DeliveryExpected → figures',
    ClearExpected: '- → figures',
    ReceiveTransfer: 'StockTransferredIn → ConfirmTransfer',
    ConfirmTransfer: '- → -',
    TransferStock: 'StockTransferredOut → figures',
    QuarantineStock: 'StockQuarantined → figures',
    ReleaseQuarantine: 'stock.quarantine-insufficient',
  };
  return { ReserveStock, CommitReservation, ReleaseReservation, ...unmoved, ...counted };
}

const commands: { readonly [Type in InventoryCommand['type']]: Extract<InventoryCommand, { type: Type }> } = {
  ReserveStock: { type: 'ReserveStock', reservationId: 'r1', quantity: 4, saga: { type: 'order-saga', id: 'ord_1' } },
  CommitReservation: { type: 'CommitReservation', reservationId: 'r1', saga: { type: 'order-saga', id: 'ord_1' } },
  ReleaseReservation: { type: 'ReleaseReservation', reservationId: 'r1', saga: { type: 'order-saga', id: 'ord_1' } },
  PickReservation: { type: 'PickReservation', reservationId: 'r1' },
  ShipReservation: { type: 'ShipReservation', reservationId: 'r1' },
  ExpireReservation: { type: 'ExpireReservation', reservationId: 'r1' },
  AllocateBackorders: { type: 'AllocateBackorders' },
  ReceiveStock: { type: 'ReceiveStock', quantity: 3 },
  AdjustStock: { type: 'AdjustStock', delta: 1, reason: 'found' },
  RestockReturned: { type: 'RestockReturned', quantity: 1, returnId: 'ret_1' },
  TransferStock: { type: 'TransferStock', to: 'wh-west', quantity: 2 },
  ReceiveTransfer: { type: 'ReceiveTransfer', transferId: 'req_1', from: 'wh-west', quantity: 2 },
  ConfirmTransfer: { type: 'ConfirmTransfer', transferId: 'req_1' },
  QuarantineStock: { type: 'QuarantineStock', quantity: 2, reason: 'wet' },
  ReleaseQuarantine: { type: 'ReleaseQuarantine', quantity: 1 },
  ExpectDelivery: { type: 'ExpectDelivery', quantity: 20, at: EXPIRED_AT + 1 },
  ClearExpected: { type: 'ClearExpected' },
};

const cells = suite('inventoryItem: state × message');

for (const [state, history] of Object.entries(states)) {
  for (const command of Object.values(commands)) {
    const expected = table[state]?.[command.type];
    cells(`${state} × ${command.type}: ${expected}`, () => {
      const before = play(checkedInventory, ITEM, history);
      const played = play(checkedInventory, ITEM, [...history, { at: EXPIRED_AT, command }]);
      const events = played.events.slice(before.events.length).map(({ type }) => type);
      const answers = played.sent.slice(before.sent.length).map(({ message }) => message.type);
      const answer = expected?.endsWith('figures') ? 'figures' : answers.join(' ') || '-';
      const [rejection] = played.rejections;
      assert.is(rejection?.code ?? `${events.join(' ') || '-'} → ${answer}`, expected);
      assertReplays(inventoryDecider, ITEM, played);
    });
  }
}

cells.run();
