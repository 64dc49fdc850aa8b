/**
 * Buying and voiding the label at the carrier. A missing label never fails an order: it is asked for again and again,
 * under the same key as long as it may have been bought, so that it is bought once, and under a new one when the carrier
 * has refused the last one for good. The label of a cancelled shipment is voided, also one that comes late.
 */
import { type CarrierGatewayOutcome, type CarrierGatewayResult, carrierGateway } from '../gateways.ts';
import { ATTEMPTS, keyAfter, pauseAfter, reasonOf, refusedBy } from './carrier.ts';
import { type Draft, record } from './draft.ts';
import type { ShipmentState } from './state.ts';

/** A week of hourly attempts after the quick ones. */
const SLOW_ATTEMPTS = 7 * 24;

const RETRY = 'label';

const isBuying = (shipmentId: string, key: string) => key.startsWith(`${shipmentId}/label`);
const buyingKey = ({ id, label }: ShipmentState) => keyAfter(`${id}/label`, label.refusals);
const voidingKey = ({ id, label }: ShipmentState) => keyAfter(`${id}/void-label`, label.refusals);

export function askForLabel(draft: Draft) {
  const { id, request } = draft.state;
  if (!request) return;
  const { warehouse, method, address } = request;
  record(draft, { type: 'LabelRequested', v: 1 });
  const key = buyingKey(draft.state);
  draft.sends.push({
    to: carrierGateway,
    message: { type: 'CarrierBuyLabel', key, shipmentId: id, warehouse, method, address },
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

export function onLabelResult(draft: Draft, { key, result }: CarrierGatewayResult) {
  const { id } = draft.state;
  if (isBuying(id, key)) {
    if (result.outcome === 'label') onLabel(draft, result);
    // News of a key that was refused before are old.
    else if (key === buyingKey(draft.state)) onNoLabel(draft, result);
  } else if (key === voidingKey(draft.state) && draft.state.label.status === 'voiding') {
    onVoided(draft, result);
  }
}

type Label = Extract<CarrierGatewayResult['result'], { outcome: 'label' }>;

function onLabel(draft: Draft, { labelId, carrier, trackingNumber }: Label) {
  if (draft.state.label.labelId !== null) return;
  draft.timers.push({ clear: RETRY });
  record(draft, { type: 'LabelPurchased', v: 1, labelId });
  if (draft.state.status === 'cancelled') return voidLabel(draft);
  record(draft, { type: 'TrackingAssigned', v: 1, carrier, trackingNumber });
}

function onNoLabel(draft: Draft, result: CarrierGatewayOutcome) {
  if (draft.state.label.status !== 'asking') return;
  const reason = reasonOf(result);
  const uncertain = result.outcome === 'unknown';
  record(draft, { type: 'LabelAttemptFailed', v: 1, reason, uncertain, ...refusedBy(result) });
  const { tries, uncertain: mayExist } = draft.state.label;
  const wanted = isWanted(draft.state);
  if (!wanted && !mayExist) return;
  const final = tries >= (wanted ? ATTEMPTS + SLOW_ATTEMPTS : ATTEMPTS);
  if (final || tries === ATTEMPTS) record(draft, { type: 'LabelFailed', v: 1, reason, final });
  if (!final) askLater(draft);
}

function onVoided(draft: Draft, result: CarrierGatewayOutcome) {
  if (result.outcome === 'voided') return record(draft, { type: 'LabelVoided', v: 1 });
  const final = draft.state.label.tries >= ATTEMPTS;
  record(draft, { type: 'LabelVoidFailed', v: 1, reason: reasonOf(result), final, ...refusedBy(result) });
  if (!final) askLater(draft);
}

function voidLabel(draft: Draft) {
  const { labelId } = draft.state.label;
  if (labelId === null) return;
  record(draft, { type: 'LabelVoidRequested', v: 1 });
  const key = voidingKey(draft.state);
  draft.sends.push({ to: carrierGateway, message: { type: 'CarrierVoidLabel', key, labelId } });
}

function askLater(draft: Draft) {
  const at = draft.context.now + pauseAfter(draft.state.label.tries);
  draft.timers.push({ set: RETRY, at, message: { type: 'RetryLabel' } });
}
