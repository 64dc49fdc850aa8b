/** An order's saga for the operator: where it stands, why it waits, what it will do next, and who did what to it. */
import type { StoredCommit } from '../../actors/kernel/ports.ts';
import type { SagaEvent } from '../../actors/orderSaga/events.ts';
import type { Phase, SagaState, Step } from '../../actors/orderSaga/state.ts';
import { time } from './time.ts';

export function sagaView(saga: SagaState, version: number, history: readonly StoredCommit[], now: number) {
  const started = saga.status === 'started' ? saga : undefined;
  return {
    orderId: saga.orderId,
    status: started ? started.phase.status : saga.status,
    awaiting: started?.phase.status === 'waiting' ? started.phase.awaiting : null,
    reason: started ? reasonOf(started.phase) : null,
    overdue: started?.phase.status === 'waiting' && started.phase.overdue,
    total: started?.total ?? null,
    steps: Object.values(started?.steps ?? {}).map(stepView),
    refunds: Object.entries(started?.refunds ?? {}).map(([id, refund]) => ({ id, ...refund })),
    timers: timersView(history, now),
    history: history.flatMap((commit) => commit.events.map((event) => eventView(event as SagaEvent, commit.at))),
    version,
  };
}

export function reasonOf(phase: Phase): string | null {
  return 'reason' in phase ? phase.reason : null;
}

export function stepView({ id, work, status, asked, undone, round, reason }: Step) {
  return {
    id,
    kind: work.kind,
    status,
    attempts: asked,
    undone,
    round,
    reason,
    ...('sku' in work && { sku: work.sku }),
    ...('warehouse' in work && { warehouse: work.warehouse }),
    ...('shipmentId' in work && { shipmentId: work.shipmentId }),
  };
}

/** What is set and neither cleared nor, being in the past, fired. */
function timersView(history: readonly StoredCommit[], now: number) {
  const pending = new Map<string, number>();
  for (const change of history.flatMap((commit) => commit.timers)) {
    if ('set' in change) pending.set(change.set, change.at);
    else pending.delete(change.clear);
  }
  return [...pending]
    .filter(([, at]) => at > now)
    .sort(([, a], [, b]) => a - b)
    .map(([name, at]) => ({ name, at: time(at) }));
}

function eventView(event: SagaEvent, at: number) {
  return {
    at: time(at),
    type: event.type,
    ...('step' in event && { step: event.step }),
    ...('refundId' in event && { refundId: event.refundId }),
    ...('amount' in event && { amount: event.amount }),
    ...('reason' in event && { reason: event.reason }),
    ...('by' in event && { by: event.by }),
    ...('why' in event && { why: event.why }),
  };
}
