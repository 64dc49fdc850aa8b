/** Having the carrier look for a parcel that is lost. Nothing waits for it: the goods are sent once more meanwhile. */
import { type CarrierGatewayResult, carrierGateway } from '../gateways.ts';
import { ATTEMPTS, keyAfter, pauseAfter, reasonOf, refusedBy } from './carrier.ts';
import { type Draft, record } from './draft.ts';
import type { ShipmentState } from './state.ts';

const RETRY = 'trace';

const tracingKey = ({ id, trace }: ShipmentState) => keyAfter(`${id}/trace`, trace.refusals);

export function askForTrace(draft: Draft) {
  const { trackingNumber } = draft.state;
  // Without a label the carrier doesn't know it by any name.
  if (trackingNumber === null) return;
  record(draft, { type: 'TraceRequested', v: 1 });
  const key = tracingKey(draft.state);
  draft.sends.push({ to: carrierGateway, message: { type: 'CarrierTraceParcel', key, trackingNumber } });
}

export function retryTrace(draft: Draft) {
  if (draft.state.trace.status === 'to-ask' && draft.state.status === 'lost') askForTrace(draft);
}

export function onTraceResult(draft: Draft, { key, result }: CarrierGatewayResult) {
  const { trace } = draft.state;
  if (trace.status !== 'asking' || key !== tracingKey(draft.state)) return;
  if (result.outcome === 'tracing') return record(draft, { type: 'TraceOpened', v: 1, traceId: result.traceId });
  const final = trace.tries >= ATTEMPTS;
  record(draft, { type: 'TraceFailed', v: 1, reason: reasonOf(result), final, ...refusedBy(result) });
  if (final) return;
  const at = draft.context.now + pauseAfter(trace.tries);
  draft.timers.push({ set: RETRY, at, message: { type: 'RetryTrace' } });
}
