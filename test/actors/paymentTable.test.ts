/** Every state of a payment × every message: what is recorded and what is sent, never a throw. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PaymentCommand, paymentDecider, paymentStatus } from '../../actors/payment.ts';
import {
  authorize,
  authorized,
  capture,
  captured,
  checkedPayment,
  dispute,
  EXPIRES,
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
import { assertReplays, play, type Step } from '../support/play.ts';

const unknown = (name: string) => [
  result(name, is.unknown),
  ...[1, 2, 3].flatMap(() => [enquireAgain(name), result(name, is.unknown)]),
];

const states: Record<string, readonly [status: string, ...history: Step<PaymentCommand>[]]> = {
  none: ['pending'],
  asking: ['pending', authorize()],
  'asking, unknown': ['pending', authorize(), result('authorize-1', is.unknown)],
  'asking, given up': ['failed', authorize(), ...unknown('authorize-1')],
  'requires-action': ['requires-action', authorize(), result('authorize-1', is.action)],
  failed: ['failed', authorize(), result('authorize-1', is.declined)],
  authorized: ['authorized', ...authorized],
  expired: ['authorized', ...authorized, { at: EXPIRES - 3_600_000, command: { type: 'ExpireAuthorization' } }],
  capturing: ['authorized', ...authorized, capture()],
  'capturing, given up': ['authorized', ...authorized, capture(), ...unknown('capture-1')],
  captured: ['captured', ...captured],
  'partially-captured': ['partially-captured', ...partlyCaptured],
  refunding: ['captured', ...captured, refund('r1', 400)],
  'partially-refunded': ['partially-refunded', ...captured, refund('r1', 400), result('refund-r1', is.refunded(400))],
  refunded: ['refunded', ...captured, refund('r1', 1_000), result('refund-r1', is.refunded(1_000))],
  'refund escalated': ['captured', ...captured, refund('r1', 400), ...refused('r1')],
  disputed: ['disputed', ...captured, dispute('opened')],
  'disputed while refunding': ['disputed', ...captured, refund('r1', 400), dispute('opened')],
  'dispute won': ['captured', ...captured, dispute('opened'), dispute('won')],
  'dispute lost': ['refunded', ...captured, dispute('opened'), dispute('lost')],
  'nothing to pay': ['authorized', authorize(1, 0)],
  'nothing paid': ['captured', authorize(1, 0), capture(0)],
  'cancelled while asking': ['pending', authorize(), voidPayment()],
  voiding: ['authorized', ...authorized, voidPayment()],
  voided: ['voided', ...authorized, voidPayment(), result('void-1', is.voided)],
  'cancelled-before-start': ['cancelled-before-start', voidPayment()],
};

const messages: Record<string, PaymentCommand> = {
  authorize: authorize(),
  'authorize anew': authorize(2),
  capture: capture(),
  void: voidPayment(),
  refund: refund('r1', 400),
  'settle by hand': { type: 'SettleRefundByHand', refundId: 'r1', amount: usd(400), reason: 'A cheque was sent.' },
  expire: { type: 'ExpireAuthorization' },
  enquire: enquireAgain('authorize-1'),
  'retry refund': { type: 'RetryRefund', refundId: 'r1' },
  'capture nothing': capture(0),
  overdue: { type: 'NoteRefundOverdue', refundId: 'r1' },
  'dispute opened': dispute('opened'),
  'dispute won': dispute('won'),
  'dispute lost': dispute('lost'),
  '→ authorized': result('authorize-1', is.authorized()),
  '→ requires action': result('authorize-1', is.action),
  '→ declined': result('authorize-1', is.declined),
  '→ unknown': result('authorize-1', is.unknown),
  '→ captured': result('capture-1', is.captured()),
  '→ capture failed': result('capture-1', is.failed),
  '→ voided': result('void-1', is.voided),
  '→ void failed': result('void-1', is.failed),
  '→ refunded': result('refund-r1', is.refunded(400)),
  '→ refund failed': result('refund-r1', is.failed),
};

const earlyRefunds = { '→ refunded': 'ResultKept → -', '→ refund failed': 'ResultKept → -' };

/** What a message does wherever nothing else is listed. */
const usual: Record<string, string> = {
  'capture nothing': '- → PaymentCaptureFailed',
  'dispute opened': 'ChargebackOpened → PaymentDisputed PaymentChanged',
  'dispute won': 'ChargebackOpened ChargebackResolved → PaymentDisputed PaymentDisputeEnded',
  'dispute lost': 'ChargebackOpened ChargebackResolved → PaymentDisputed PaymentDisputeEnded PaymentChanged',
};

/** Of a payment that was captured. */
const taken = {
  authorize: '- → PaymentAuthorized',
  'authorize anew': '- → PaymentDeclined',
  capture: '- → PaymentCaptured',
  'capture nothing': '- → PaymentCaptured',
};
const knownDispute = {
  'dispute opened': '- → -',
  'dispute won': 'ChargebackResolved → PaymentDisputed PaymentDisputeEnded PaymentChanged',
  'dispute lost': 'ChargebackResolved → PaymentDisputed PaymentDisputeEnded PaymentChanged',
};
const endedDispute = { 'dispute opened': '- → -', 'dispute won': '- → -', 'dispute lost': '- → -' };

/** Recorded events → what is sent; what is listed neither here nor as usual changes nothing and says nothing. */
const table: Record<string, Record<string, string>> = {
  none: {
    ...earlyRefunds,
    authorize: 'PaymentInitiated → GatewayAuthorize',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize',
    capture: '- → PaymentCaptureFailed',
    void: 'CancellationRequested PaymentVoided → PaymentVoided PaymentChanged',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ authorized': 'ResultKept → -',
    '→ requires action': 'ResultKept → -',
    '→ declined': 'ResultKept → -',
    '→ captured': 'ResultKept → -',
    '→ capture failed': 'ResultKept → -',
    '→ voided': 'ResultKept → -',
    '→ void failed': 'ResultKept → -',
  },
  asking: {
    ...earlyRefunds,
    'authorize anew': 'PaymentInitiated → GatewayAuthorize',
    capture: '- → PaymentCaptureFailed',
    void: 'CancellationRequested → -',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ authorized': 'PaymentAuthorized → PaymentAuthorized PaymentChanged',
    '→ requires action': 'PaymentActionRequired → PaymentActionRequired PaymentChanged',
    '→ declined': 'PaymentFailed → PaymentDeclined PaymentChanged',
    '→ unknown': 'OutcomeUnknown → -',
    '→ captured': 'PaymentCaptured → PaymentChanged',
  },
  'asking, unknown': {
    ...earlyRefunds,
    'authorize anew': 'PaymentInitiated → GatewayAuthorize',
    capture: '- → PaymentCaptureFailed',
    void: 'CancellationRequested → -',
    refund: 'RefundCompleted → PaymentRefunded',
    enquire: 'GatewayAskedAgain → GatewayEnquire',
    '→ authorized': 'PaymentAuthorized → PaymentAuthorized PaymentChanged',
    '→ requires action': 'PaymentActionRequired → PaymentActionRequired PaymentChanged',
    '→ declined': 'PaymentFailed → PaymentDeclined PaymentChanged',
    '→ captured': 'PaymentCaptured → PaymentChanged',
  },
  'asking, given up': {
    ...earlyRefunds,
    authorize: '- → PaymentDeclined',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize PaymentChanged',
    capture: '- → PaymentCaptureFailed',
    void: 'CancellationRequested → -',
    refund: 'RefundCompleted → PaymentRefunded',
    enquire: 'GatewayAskedAgain → GatewayEnquire',
    '→ authorized': 'PaymentAuthorized VoidRequested → GatewayVoid PaymentChanged',
    '→ requires action': 'PaymentFailed → -',
    '→ declined': 'PaymentFailed → -',
    '→ captured': 'PaymentCaptured RefundRequested → GatewayRefund PaymentChanged',
  },
  'requires-action': {
    ...earlyRefunds,
    authorize: '- → PaymentActionRequired',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize PaymentChanged',
    capture: '- → PaymentCaptureFailed',
    void: 'CancellationRequested PaymentVoided → PaymentVoided PaymentChanged',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ authorized': 'PaymentAuthorized → PaymentAuthorized PaymentChanged',
    '→ declined': 'PaymentFailed → PaymentDeclined PaymentChanged',
    '→ captured': 'PaymentCaptured → PaymentChanged',
  },
  failed: {
    ...earlyRefunds,
    authorize: '- → PaymentDeclined',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize PaymentChanged',
    capture: '- → PaymentCaptureFailed',
    void: 'CancellationRequested PaymentVoided → PaymentVoided',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ authorized': 'PaymentAuthorized VoidRequested → GatewayVoid PaymentChanged',
    '→ captured': 'PaymentCaptured RefundRequested → GatewayRefund PaymentChanged',
  },
  authorized: {
    ...earlyRefunds,
    authorize: '- → PaymentAuthorized',
    'authorize anew': 'PaymentInitiated VoidRequested → GatewayAuthorize GatewayVoid PaymentChanged',
    capture: 'CaptureRequested → GatewayCapture',
    void: 'CancellationRequested VoidRequested → GatewayVoid',
    refund: 'RefundCompleted → PaymentRefunded',
    expire: 'AuthorizationExpired VoidRequested → AuthorizationExpired GatewayVoid',
    '→ captured': 'PaymentCaptured → PaymentChanged',
  },
  expired: {
    ...earlyRefunds,
    authorize: '- → AuthorizationExpired',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize PaymentChanged',
    capture: '- → PaymentCaptureFailed',
    void: 'CancellationRequested → -',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ captured': 'PaymentCaptured RefundRequested → GatewayRefund PaymentChanged',
    '→ voided': 'AuthorizationVoided → PaymentChanged',
    '→ void failed': 'VoidFailed → -',
  },
  capturing: {
    ...earlyRefunds,
    authorize: '- → PaymentAuthorized',
    'authorize anew': '- → PaymentDeclined',
    'capture nothing': '- → -',
    void: 'CancellationRequested → -',
    refund: 'RefundRequested → PaymentChanged',
    '→ captured': 'PaymentCaptured → PaymentCaptured PaymentChanged',
    '→ capture failed': 'CaptureFailed VoidRequested → PaymentCaptureFailed GatewayVoid PaymentChanged',
  },
  'capturing, given up': {
    ...earlyRefunds,
    authorize: '- → PaymentDeclined',
    'authorize anew': '- → PaymentDeclined',
    capture: '- → PaymentCaptureFailed',
    void: 'CancellationRequested → -',
    refund: 'RefundRequested → PaymentChanged',
    '→ captured': 'PaymentCaptured RefundRequested → GatewayRefund PaymentChanged',
    '→ capture failed': 'CaptureFailed VoidRequested → GatewayVoid PaymentChanged',
  },
  captured: {
    'settle by hand': 'RefundSettledByHand → -',
    ...earlyRefunds,
    ...taken,
    void: 'CancellationRequested RefundRequested → GatewayRefund PaymentChanged',
    refund: 'RefundRequested → GatewayRefund PaymentChanged',
  },
  'partially-captured': {
    'settle by hand': 'RefundSettledByHand → -',
    ...earlyRefunds,
    ...taken,
    void: 'CancellationRequested RefundRequested → GatewayRefund PaymentChanged',
    refund: 'RefundRequested → GatewayRefund PaymentChanged',
    '→ voided': 'AuthorizationVoided → -',
    '→ void failed': 'VoidFailed → -',
  },
  refunding: {
    'settle by hand': 'RefundSettledByHand → PaymentChanged',
    ...taken,
    void: 'CancellationRequested RefundRequested → GatewayRefund PaymentChanged',
    overdue: 'RefundOverdueNoted → -',
    '→ refunded': 'RefundCompleted → PaymentRefunded PaymentChanged',
    '→ refund failed': 'RefundFailed → -',
  },
  'partially-refunded': {
    ...taken,
    void: 'CancellationRequested RefundRequested → GatewayRefund PaymentChanged',
    refund: '- → PaymentRefunded',
  },
  refunded: {
    ...taken,
    void: 'CancellationRequested PaymentVoided → PaymentVoided',
    refund: '- → PaymentRefunded',
  },
  'refund escalated': {
    'settle by hand': 'RefundSettledByHand → PaymentChanged',
    ...taken,
    void: 'CancellationRequested RefundRequested RefundRequested GatewayAskedAgain → GatewayRefund GatewayRefund PaymentChanged',
    refund: 'RefundRequested GatewayAskedAgain → GatewayRefund PaymentChanged',
    'dispute lost':
      'ChargebackOpened ChargebackResolved RefundCompleted → PaymentDisputed PaymentRefunded PaymentDisputeEnded PaymentChanged',
    '→ refunded': 'RefundCompleted → PaymentRefunded PaymentChanged',
  },
  disputed: {
    'settle by hand': 'RefundSettledByHand → -',
    ...earlyRefunds,
    ...taken,
    ...knownDispute,
    void: 'CancellationRequested → -',
    refund: '- → RefundRefused',
  },
  'disputed while refunding': {
    'settle by hand': 'RefundSettledByHand → PaymentChanged',
    ...taken,
    ...knownDispute,
    void: 'CancellationRequested → -',
    overdue: 'RefundOverdueNoted → -',
    '→ refunded': 'RefundCompleted → PaymentRefunded PaymentChanged',
    '→ refund failed': 'RefundFailed → -',
  },
  'dispute won': {
    'settle by hand': 'RefundSettledByHand → -',
    ...earlyRefunds,
    ...taken,
    ...endedDispute,
    void: 'CancellationRequested RefundRequested → GatewayRefund PaymentChanged',
    refund: 'RefundRequested → GatewayRefund PaymentChanged',
  },
  'dispute lost': {
    ...earlyRefunds,
    ...taken,
    ...endedDispute,
    void: 'CancellationRequested PaymentVoided → PaymentVoided',
    refund: 'RefundCompleted → PaymentRefunded',
  },
  'nothing to pay': {
    ...earlyRefunds,
    authorize: '- → PaymentAuthorized',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize PaymentChanged',
    capture: '- → PaymentCaptureFailed',
    'capture nothing': 'PaymentCaptured → PaymentCaptured PaymentChanged',
    void: 'CancellationRequested PaymentVoided → PaymentVoided PaymentChanged',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ captured': 'PaymentCaptured → PaymentChanged',
  },
  'nothing paid': {
    ...earlyRefunds,
    ...taken,
    void: 'CancellationRequested PaymentVoided → PaymentVoided PaymentChanged',
    refund: 'RefundCompleted → PaymentRefunded',
  },
  'cancelled while asking': {
    ...earlyRefunds,
    authorize: '- → PaymentDeclined',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize',
    capture: '- → PaymentCaptureFailed',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ authorized': 'PaymentAuthorized VoidRequested → GatewayVoid PaymentChanged',
    '→ requires action': 'PaymentFailed PaymentVoided → PaymentVoided PaymentChanged',
    '→ declined': 'PaymentFailed PaymentVoided → PaymentVoided PaymentChanged',
    '→ unknown': 'OutcomeUnknown → -',
    '→ captured': 'PaymentCaptured RefundRequested → GatewayRefund PaymentChanged',
  },
  voiding: {
    ...earlyRefunds,
    authorize: '- → PaymentDeclined',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize PaymentChanged',
    capture: '- → PaymentCaptureFailed',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ captured': 'PaymentCaptured RefundRequested → GatewayRefund PaymentChanged',
    '→ voided': 'AuthorizationVoided PaymentVoided → PaymentVoided PaymentChanged',
    '→ void failed': 'VoidFailed → -',
  },
  voided: {
    ...earlyRefunds,
    authorize: '- → PaymentDeclined',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize PaymentChanged',
    capture: '- → PaymentCaptureFailed',
    void: '- → PaymentVoided',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ captured': 'PaymentCaptured RefundRequested → GatewayRefund PaymentChanged',
  },
  'cancelled-before-start': {
    ...earlyRefunds,
    authorize: '- → PaymentDeclined',
    'authorize anew': 'PaymentInitiated → GatewayAuthorize PaymentChanged',
    capture: '- → PaymentCaptureFailed',
    void: '- → PaymentVoided',
    refund: 'RefundCompleted → PaymentRefunded',
    '→ authorized': 'StrayAttemptFound PaymentAuthorized VoidRequested → GatewayVoid',
    '→ captured': 'StrayAttemptFound PaymentCaptured RefundRequested → GatewayRefund PaymentChanged',
  },
};

const cells = suite('payment: state × message');

for (const [state, [status, ...history]] of Object.entries(states)) {
  cells(`${state} is shown as ${status}`, () => {
    assert.is(paymentStatus(play(checkedPayment, ORDER, history).state), status);
  });
  for (const [message, command] of Object.entries(messages)) {
    const expected = table[state]?.[message] ?? usual[message] ?? '- → -';
    cells(`${state} × ${message}: ${expected}`, () => {
      const before = play(checkedPayment, ORDER, history);
      const at = command.type === 'ExpireAuthorization' ? EXPIRES - 3_600_000 : undefined;
      const step = at === undefined ? command : { at, command };
      const played = play(checkedPayment, ORDER, [...history, step]);
      const events = played.events.slice(before.events.length).map(({ type }) => type);
      const sent = played.sent.slice(before.sent.length).map(({ message: { type } }) => type);
      assert.is(`${events.join(' ') || '-'} → ${sent.join(' ') || '-'}`, expected);
      assertReplays(paymentDecider, ORDER, played);
    });
  }
}

cells.run();
