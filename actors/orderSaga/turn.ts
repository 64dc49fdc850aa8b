/** One decision of the saga in the making: each event is applied at once, so that what follows is decided on what is. */
import type { TimerChange } from '../kernel/decider.ts';
import { orderAddress, type SagaNews } from '../order.ts';
import type { ShopContext } from '../shared.ts';
import type { Work } from './events.ts';
import type { SagaSend, SagaTimerCommand } from './messages.ts';
import { compensationOf, requestOf, stepTimeoutMs } from './requests.ts';
import { evolveStarted, type LaterEvent, type Saga, type Step } from './state.ts';

type Unnumbered<News> = News extends unknown ? Omit<News, 'seq'> : never;
type Timer = TimerChange<SagaTimerCommand>;

/** The timers beside the one for unanswered steps, and what they say. */
const TIMERS = {
  saga: 'SagaTimedOut',
  review: 'ReviewOverdue',
  payment: 'PaymentMethodOverdue',
  backorder: 'BackorderOverdue',
} as const;
type SagaTimer = keyof typeof TIMERS;

export class Turn {
  readonly events: LaterEvent[] = [];
  readonly sends: SagaSend[] = [];
  private readonly changes: Timer[] = [];
  private readonly before: readonly Step[];
  private asked = false;
  private current: Saga;
  readonly context: ShopContext;

  constructor(saga: Saga, context: ShopContext) {
    this.current = saga;
    this.context = context;
    this.before = pendingSteps(saga);
  }

  get saga(): Saga {
    return this.current;
  }

  record(event: LaterEvent): void {
    this.events.push(event);
    this.current = evolveStarted(this.current, event);
  }

  start(step: string, work: Work): void {
    this.record({ type: 'StepStarted', v: 1, step, work });
    this.send(requestOf(this.current, work));
  }

  askAgain(step: Step): void {
    this.record({ type: 'StepTimedOut', v: 1, step: step.id, final: false });
    this.send(requestOf(this.current, step.work));
  }

  compensate(step: Step, reason: string): void {
    const request = compensationOf(this.current, step, reason);
    this.record({ type: 'CompensationRequested', v: 1, step: step.id });
    this.send(request);
  }

  /** Comes after the event that it tells of: the number of events is what orders the news. */
  tell(news: Unnumbered<SagaNews>): void {
    const { orderId, revision } = this.current;
    this.sends.push({ to: orderAddress(orderId), message: { ...news, seq: revision } });
  }

  setTimer(name: SagaTimer, afterMs: number): void {
    this.changes.push({ set: name, at: this.context.now + afterMs, message: { type: TIMERS[name] } });
  }

  clearTimer(name: SagaTimer): void {
    this.changes.push({ clear: name });
  }

  /** Something is still pending after its time-out: the timer has to run again even if nothing new was asked. */
  keepWaiting(): void {
    this.asked = true;
  }

  get timers(): readonly Timer[] {
    const pending = pendingSteps(this.current);
    if (pending.length === 0) return this.before.length === 0 ? this.changes : [...this.changes, { clear: 'step' }];
    if (!this.asked) return this.changes;
    const attempt = Math.max(...pending.map(({ asked }) => asked));
    const message: SagaTimerCommand = { type: 'StepTimedOut', step: this.current.phase.status, attempt };
    return [...this.changes, { set: 'step', at: this.context.now + this.waitMs(pending), message }];
  }

  private waitMs(pending: readonly Step[]): number {
    const { policy } = this.context;
    const running = pending.filter(({ status }) => status === 'running');
    if (running.length === 0) return policy.saga.compensationTimeoutMs;
    return Math.max(...running.map(({ work }) => stepTimeoutMs(work.kind, policy)));
  }

  private send(request: SagaSend): void {
    this.asked = true;
    this.sends.push(request);
  }
}

/** Steps that wait for an answer. */
export function pendingSteps(saga: Saga): Step[] {
  return Object.values(saga.steps).filter(({ status }) => status === 'running' || status === 'compensating');
}
