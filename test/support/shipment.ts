/** Words for the tests of a shipment. */
import type { CarrierGatewayOutcome, CarrierGatewayResult } from '../../actors/gateways.ts';
import type { ShipmentCommand, ShipmentReport } from '../../actors/shipment.ts';
import { T0 } from './spec.ts';

export const SHIPMENT = 'shp_1_1';
export const HOUR = 60 * 60_000;
export const DAY = 24 * HOUR;

export const address = { name: 'Ada', line1: '1 Main St', city: 'Newark', postalCode: '07101', country: 'US' };
export const lines = [
  { sku: 'A', quantity: 2, reservationId: 'ord_1/1.1' },
  { sku: 'B', quantity: 1, reservationId: 'ord_1/2.1' },
];
export const request: ShipmentCommand = {
  type: 'RequestShipment',
  warehouse: 'wh-east',
  lines,
  method: 'standard',
  address,
};
export const cancel: ShipmentCommand = { type: 'CancelShipment', reason: 'the order was cancelled' };
export const retryLabel: ShipmentCommand = { type: 'RetryLabel' };

export function report(what: ShipmentReport, attempt?: number): ShipmentCommand {
  return { type: 'ReportShipment', report: what, ...(attempt !== undefined && { attempt }) };
}

export const is = {
  label: { outcome: 'label', labelId: 'lbl_1', carrier: 'Simulated Ground', trackingNumber: 'SIM1' },
  voided: { outcome: 'voided' },
  failed: { outcome: 'failed', reason: 'address not served' },
  unknown: { outcome: 'unknown', reason: 'timed out' },
  unavailable: { outcome: 'unavailable', reason: 'breaker open' },
} as const;

export function bought(result: CarrierGatewayOutcome): CarrierGatewayResult {
  return { type: 'CarrierGatewayResult', operation: 'CarrierBuyLabel', key: `${SHIPMENT}/label`, result };
}

export function voided(result: CarrierGatewayOutcome): CarrierGatewayResult {
  return { type: 'CarrierGatewayResult', operation: 'CarrierVoidLabel', key: `${SHIPMENT}/void-label`, result };
}

/** Ways to the states that the tests start from. */
export const labeled = [request, bought(is.label)];
export const handedOver = [...labeled, { at: T0 + HOUR, command: report('handed-to-carrier') }];
