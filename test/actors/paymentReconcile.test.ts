/** Each way in which our books of an order's money and the vendor's can differ, and what is no difference. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { VendorOperation } from '../../actors/gateways.ts';
import { money } from '../../actors/kernel/money.ts';
import { compareBooks, type FindingCode } from '../../actors/payment/reconcile.ts';
import type { PaymentCommand } from '../../actors/payment.ts';
import {
  authorize,
  authorized,
  capture,
  captured,
  checkedPayment,
  dispute,
  enquireAgain,
  is,
  ORDER,
  partlyCaptured,
  refund,
  refused,
  result,
  usd,
  voidPayment,
} from '../support/payment.ts';
import { play, type Step } from '../support/play.ts';

type Authorize = Extract<VendorOperation, { kind: 'authorize' }>;
type Taken = Extract<VendorOperation, { kind: 'capture' | 'refund' }>;

const held = (state: Authorize['state'] = 'held', amount = 1_000, attempt = 1): VendorOperation => ({
  kind: 'authorize',
  key: `${ORDER}/authorize-${attempt}`,
  amount: usd(amount),
  state,
});
const taken = (amount = 1_000, attempt = 1, state: Taken['state'] = 'done'): VendorOperation => ({
  kind: 'capture',
  key: `${ORDER}/capture-${attempt}`,
  amount: usd(amount),
  state,
});
const back = (name: string, amount: number, state: Taken['state'] = 'done'): VendorOperation => ({
  kind: 'refund',
  key: `${ORDER}/refund${name}`,
  amount: usd(amount),
  state,
});

const disputed = (state: 'open' | 'won' | 'lost', amount = 1_000): VendorOperation => ({
  kind: 'dispute',
  key: 'dp_1',
  amount: usd(amount),
  state,
});

type Case = {
  readonly ours: readonly Step<PaymentCommand>[];
  readonly vendors: readonly VendorOperation[];
  readonly ended?: boolean;
};

function findings({ ours, vendors, ended = false }: Case) {
  const payment = play(checkedPayment, ORDER, ours).state;
  return compareBooks({ payment, ended }, vendors.length === 0 ? undefined : { orderId: ORDER, operations: vendors });
}

const refunded = [...captured, refund('r1', 400), result('refund-r1', is.refunded(400))];
const allBack = [...captured, refund('r1', 1_000), result('refund-r1', is.refunded(1_000))];
const voided = [...authorized, voidPayment(), result('void-1', is.voided)];
const givenUp = (name: string) => [
  result(name, is.unknown),
  ...[1, 2, 3].flatMap(() => [enquireAgain(name), result(name, is.unknown)]),
];

const reconcile = suite('payment: reconciliation');

const agreeing: Record<string, Case> = {
  'neither knows the order': { ours: [], vendors: [] },
  'asked for, not there yet': { ours: [authorize()], vendors: [] },
  'asked for, there and not told yet': { ours: [authorize()], vendors: [held()] },
  'the customer is asked': { ours: [authorize(), result('authorize-1', is.action)], vendors: [held('pending')] },
  declined: { ours: [authorize(), result('authorize-1', is.declined)], vendors: [held('refused')] },
  authorized: { ours: authorized, vendors: [held()] },
  'being captured, not there yet': { ours: [...authorized, capture()], vendors: [held()] },
  'being captured, there and not told yet': { ours: [...authorized, capture()], vendors: [held('closed'), taken()] },
  'a capture in doubt': {
    ours: [...authorized, capture(), ...givenUp('capture-1')],
    vendors: [held('closed'), taken()],
    ended: true,
  },
  captured: { ours: captured, vendors: [held('closed'), taken()] },
  'captured in part, the rest being voided': { ours: partlyCaptured, vendors: [held(), taken(600)] },
  'being voided': { ours: [...authorized, voidPayment()], vendors: [held()], ended: true },
  voided: { ours: voided, vendors: [held('closed')], ended: true },
  'being paid back': { ours: [...captured, refund('r1', 1_000)], vendors: [held('closed'), taken()], ended: true },
  'being paid back, there and not told yet': {
    ours: [...captured, refund('r1', 400)],
    vendors: [held('closed'), taken(), back('-r1', 400)],
  },
  'paid back in part': { ours: refunded, vendors: [held('closed'), taken(), back('-r1', 400)] },
  'paid back under a later key': {
    ours: [...captured, refund('r1', 400), ...refused('r1').slice(0, 2), result('refund.2-r1', is.refunded(400))],
    vendors: [held('closed'), taken(), back('-r1', 400, 'refused'), back('.2-r1', 400)],
  },
  'paid back whole, ended': {
    ours: allBack,
    vendors: [held('closed'), taken(), back('-r1', 1_000)],
    ended: true,
  },
  disputed: {
    ours: [...captured, dispute('opened')],
    vendors: [held('closed'), taken(), disputed('open')],
    ended: true,
  },
  'paid back by a lost dispute, ended': {
    ours: [...captured, dispute('opened'), dispute('lost'), refund('r1', 1_000)],
    vendors: [held('closed'), taken(), disputed('lost')],
    ended: true,
  },
  'a refused capture': {
    ours: [...authorized, capture(), result('capture-1', is.failed), result('void-1', is.voided)],
    vendors: [held('closed'), taken(1_000, 1, 'refused')],
    ended: true,
  },
};

for (const [name, books] of Object.entries(agreeing)) {
  reconcile(`no difference: ${name}`, () => assert.equal(findings(books), []));
}

const differing: Record<string, Case & { readonly codes: readonly FindingCode[] }> = {
  'charged without our knowing the order': {
    ours: [],
    vendors: [held('closed'), taken()],
    codes: ['charged-unknown'],
  },
  'charged what we have voided': {
    ours: voided,
    vendors: [held('closed'), taken()],
    ended: true,
    codes: ['charged-unknown'],
  },
  'charged under a key that is not ours': {
    ours: captured,
    vendors: [held('closed'), taken(), { kind: 'capture', key: 'phone-call', amount: usd(5), state: 'done' }],
    codes: ['charged-unknown', 'captured-twice'],
  },
  'our capture is not there': { ours: captured, vendors: [held()], codes: ['authorization-alive', 'capture-missing'] },
  'our capture was refused there': {
    ours: captured,
    vendors: [held('closed'), taken(1_000, 1, 'refused')],
    codes: ['capture-missing'],
  },
  'another amount was authorized': { ours: authorized, vendors: [held('held', 900)], codes: ['amount-differs'] },
  'another amount was captured': {
    ours: captured,
    vendors: [held('closed'), taken(1_001)],
    codes: ['amount-differs'],
  },
  'another amount was paid back': {
    ours: refunded,
    vendors: [held('closed'), taken(), back('-r1', 40)],
    codes: ['amount-differs'],
  },
  'two captures of one order': {
    ours: captured,
    vendors: [held('closed'), taken(), held('closed', 1_000, 2), taken(1_000, 2)],
    codes: ['charged-unknown', 'captured-twice'],
  },
  'an authorization that we have voided is alive': {
    ours: voided,
    vendors: [held()],
    ended: true,
    codes: ['authorization-alive'],
  },
  'an authorization that we rely on is alive on an ended order': {
    ours: authorized,
    vendors: [held()],
    ended: true,
    codes: ['authorization-alive'],
  },
  'an authorization of an order that we do not know': {
    ours: [],
    vendors: [held()],
    codes: ['authorization-unknown'],
  },
  'the customer has approved and nobody told us': {
    ours: [authorize(), result('authorize-1', is.action)],
    vendors: [held()],
    codes: ['authorization-unknown'],
  },
  'our authorization is not there': { ours: authorized, vendors: [], codes: ['authorization-missing'] },
  'our authorization was ended there': {
    ours: authorized,
    vendors: [held('closed')],
    codes: ['authorization-missing'],
  },
  'our refund is not there': {
    ours: refunded,
    vendors: [held('closed'), taken()],
    codes: ['refund-missing'],
  },
  'an ended order keeps its money and nobody pays it back': {
    ours: captured,
    vendors: [held('closed'), taken()],
    ended: true,
    codes: ['refund-missing'],
  },
  'an escalated refund waits for the operator': {
    ours: [...captured, refund('r1', 1_000), ...refused('r1')],
    vendors: [held('closed'), taken()],
    ended: true,
    codes: ['refund-missing'],
  },
  'an escalated refund was paid back by hand': {
    ours: [
      ...captured,
      refund('r1', 1_000),
      ...refused('r1'),
      { type: 'SettleRefundByHand', refundId: 'r1', amount: usd(1_000), reason: 'A cheque was sent.' },
    ],
    vendors: [held('closed'), taken()],
    ended: true,
    codes: [],
  },
  'paid back without our knowing': {
    ours: captured,
    vendors: [held('closed'), taken(), back('-by-phone', 100)],
    codes: ['refund-unknown'],
  },
  'a dispute of which nobody told us': {
    ours: captured,
    vendors: [held('closed'), taken(), disputed('open')],
    codes: ['dispute-differs'],
  },
  'a dispute that ended otherwise': {
    ours: [...captured, dispute('opened'), dispute('won')],
    vendors: [held('closed'), taken(), disputed('lost')],
    codes: ['dispute-differs'],
  },
  'a dispute of another amount': {
    ours: [...captured, dispute('opened')],
    vendors: [held('closed'), taken(), disputed('open', 1)],
    codes: ['amount-differs'],
  },
  'a dispute that the vendor does not have': {
    ours: [...captured, dispute('opened')],
    vendors: [held('closed'), taken()],
    codes: ['dispute-differs'],
  },
  'paid back though we believe that it failed for good': {
    ours: [...captured, refund('r1', 400), ...refused('r1')],
    vendors: [held('closed'), taken(), back('.4-r1', 400)],
    codes: ['refund-unknown'],
  },
};

for (const [name, books] of Object.entries(differing)) {
  reconcile(`${name}: ${books.codes.join(', ')}`, () => {
    assert.equal(
      findings(books).map(({ code }) => code),
      books.codes,
    );
  });
}

reconcile('a finding says what each side has booked, under which key, and how bad it is', () => {
  assert.equal(findings({ ours: captured, vendors: [held('closed'), taken(1_001)] }), [
    {
      code: 'amount-differs',
      key: 'ord_1/capture-1',
      ours: usd(1_000),
      vendors: usd(1_001),
      severity: 'critical',
      orderId: ORDER,
    },
  ]);
  assert.equal(findings({ ours: captured, vendors: [held('closed'), taken()], ended: true }), [
    { code: 'refund-missing', ours: usd(1_000), vendors: usd(1_000), severity: 'critical', orderId: ORDER },
  ]);
  assert.is(findings({ ours: voided, vendors: [held()] })[0]?.severity, 'warning');
});

reconcile('another currency is another amount, not a crash', () => {
  const euros = { ...taken(), amount: money(1_000, 'EUR') };
  const codes = findings({ ours: captured, vendors: [held('closed'), euros] }).map(({ code }) => code);
  assert.equal(codes, ['amount-differs']);
});

reconcile.run();
