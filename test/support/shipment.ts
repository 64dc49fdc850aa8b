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

export const operator = { by: 'cus_9', why: 'Asked by phone.' } as const;
export const reship: ShipmentCommand = { type: 'ReshipShipment', ...operator };

type More = { readonly attempt?: number; readonly occurredAt?: number; readonly eventId?: string };

export function report(what: ShipmentReport, more?: number | More): ShipmentCommand {
  return { type: 'ReportShipment', report: what, ...(typeof more === 'number' ? { attempt: more } : more) };
}

export function book(...pieces: readonly (readonly [sku: string, restock: number, quarantine?: number])[]) {
  const lines = pieces.map(([sku, restock, quarantine = 0]) => ({ sku, restock, quarantine }));
  return { type: 'BookReturnedPieces', lines, ...operator } satisfies ShipmentCommand;
}

export const is = {
  label: { outcome: 'label', labelId: 'lbl_1', carrier: 'Simulated Ground', trackingNumber: 'SIM1' },
  voided: { outcome: 'voided' },
  tracing: { outcome: 'tracing', traceId: 'trc_1' },
  failed: { outcome: 'failed', reason: 'address not served' },
  unknown: { outcome: 'unknown', reason: 'timed out' },
  unavailable: { outcome: 'unavailable', reason: 'breaker open' },
} as const;

/** `key`: how many keys were used: a new one after each refusal. */
const answer =
  (operation: CarrierGatewayResult['operation'], name: string) =>
  (result: CarrierGatewayOutcome, key = 1): CarrierGatewayResult => ({
    type: 'CarrierGatewayResult',
    operation,
    key: `${SHIPMENT}/${name}${key === 1 ? '' : `.${key}`}`,
    result,
  });

export const bought = answer('CarrierBuyLabel', 'label');
export const voided = answer('CarrierVoidLabel', 'void-label');
export const traced = answer('CarrierTraceParcel', 'trace');

/** Ways to the states that the tests start from. */
export const labeled = [request, bought(is.label)];
export const handedOver = [...labeled, { at: T0 + HOUR, command: report('handed-to-carrier') }];
