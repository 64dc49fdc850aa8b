/**
 * Buying and voiding the label at the carrier. A missing label never fails an order: it is asked for again and again
 * with the same key, so that it is bought once; the label of a cancelled shipment is voided, also one that comes late.
 */
import { type CarrierGatewayResult, carrierGateway } from '../gateways.ts';
import { type Draft, record } from './draft.ts';
import type { ShipmentState } from './state.ts';

const RETRY_MS = 10_000;
/** After this many attempts (about five minutes) somebody should look; it goes on hourly. */
const ATTEMPTS = 6;
const SLOW_RETRY_MS = 60 * 60_000;
/** A week of hourly attempts. */
const SLOW_ATTEMPTS = 7 * 24;

const RETRY = 'label';

const buyingKey = (shipmentId: string) => `${shipmentId}/label`;
const voidingKey = (shipmentId: string) => `${shipmentId}/void-label`;

export function askForLabel(draft: Draft) {
  const { id, request } = draft.state;
  if (!request) return;
  const { warehouse, method, address } = request;
  record(draft, { type: 'LabelRequested', v: 1 });
  draft.sends.push({
    to: carrierGateway,
    message: { type: 'CarrierBuyLabel', key: buyingKey(id), shipmentId: id, warehouse, method, address },
  });
}

/** The saga asks for the shipment again: so is the label, if nobody tries any more. */
export function askIfGivenUp(draft: Draft) {
  if (draft.state.label.status === 'given-up') askForLabel(draft);
}

/** The shipment is cancelled: its label, too, if there is one or may be one. */
export function giveLabelBack(draft: Draft) {
  const { status, uncertain } = draft.state.label;
  if (status === 'bought') voidLabel(draft);
  if (status === 'to-ask' && !uncertain) draft.timers.push({ clear: RETRY });
}

/** The carrier has it: another label is of no use. */
export function stopAsking(draft: Draft) {
  if (draft.state.label.status === 'to-ask') draft.timers.push({ clear: RETRY });
}

export function retryLabel(draft: Draft) {
  const { status, uncertain } = draft.state.label;
  if (status === 'to-void') return voidLabel(draft);
  if (status === 'to-ask' && (isWanted(draft.state) || uncertain)) askForLabel(draft);
}

/** While it waits in the warehouse. */
function isWanted({ status }: ShipmentState): boolean {
  return status === 'assigned';
}

export function onCarrierResult(draft: Draft, { key, result }: CarrierGatewayResult) {
  const { id } = draft.state;
  const reason = 'reason' in result ? result.reason : `the carrier answered ${result.outcome}`;
  if (key === buyingKey(id)) {
    if (result.outcome === 'label') return onLabel(draft, result);
    return onNoLabel(draft, reason, result.outcome === 'unknown');
  }
  if (key !== voidingKey(id) || draft.state.label.status !== 'voiding') return;
  if (result.outcome === 'voided') return record(draft, { type: 'LabelVoided', v: 1 });
  const final = draft.state.label.tries >= ATTEMPTS;
  record(draft, { type: 'LabelVoidFailed', v: 1, reason, final });
  if (!final) askLater(draft);
}

type Label = Extract<CarrierGatewayResult['result'], { outcome: 'label' }>;

function onLabel(draft: Draft, { labelId, carrier, trackingNumber }: Label) {
  if (draft.state.label.labelId !== null) return;
  draft.timers.push({ clear: RETRY });
  record(draft, { type: 'LabelPurchased', v: 1, labelId });
  if (draft.state.status === 'cancelled') return voidLabel(draft);
  record(draft, { type: 'TrackingAssigned', v: 1, carrier, trackingNumber });
}

function onNoLabel(draft: Draft, reason: string, uncertain: boolean) {
  if (draft.state.label.status !== 'asking') return;
  record(draft, { type: 'LabelAttemptFailed', v: 1, reason, uncertain });
  const { tries, uncertain: mayExist } = draft.state.label;
  const wanted = isWanted(draft.state);
  if (!wanted && !mayExist) return;
  const final = tries >= (wanted ? ATTEMPTS + SLOW_ATTEMPTS : ATTEMPTS);
  if (final || tries === ATTEMPTS) record(draft, { type: 'LabelFailed', v: 1, reason, final });
  if (!final) askLater(draft);
}

function voidLabel(draft: Draft) {
  const { id, label } = draft.state;
  if (label.labelId === null) return;
  record(draft, { type: 'LabelVoidRequested', v: 1 });
  draft.sends.push({
    to: carrierGateway,
    message: { type: 'CarrierVoidLabel', key: voidingKey(id), labelId: label.labelId },
  });
}

function askLater(draft: Draft) {
  const pause = Math.min(RETRY_MS * 2 ** (draft.state.label.tries - 1), SLOW_RETRY_MS);
  draft.timers.push({ set: RETRY, at: draft.context.now + pause, message: { type: 'RetryLabel' } });
}
