/** The runtime's figures for Prometheus. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Telemetry } from '../actors/kernel/ports.ts';

/** Read when somebody asks for the metrics. */
export type Gauges = {
  readonly liveActors: () => number;
  readonly mailboxDepth: () => number;
  readonly timersDue: () => number;
  readonly timersPending: () => number;
  readonly outboxPending: () => number;
  readonly deadLetters: () => number;
  readonly deadLetterLimit: () => number;
  readonly quarantined: () => number;
};

export type RuntimeTelemetry = Telemetry & {
  readonly registry: Registry;
  gauges(gauges: Gauges): void;
};

/** Few, because there is a set of them for every message type. */
const MESSAGE_SECONDS = [0.0005, 0.002, 0.01, 0.05, 0.2, 1];
const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

export function createTelemetry(): RuntimeTelemetry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const labelNames = ['kind'] as const;
  const queueWait = new Histogram({
    name: 'holdfast_message_queue_seconds',
    help: 'Time a message waits in its mailbox, by message type',
    labelNames,
    buckets: MESSAGE_SECONDS,
    registers,
  });
  const processing = new Histogram({
    name: 'holdfast_message_processing_seconds',
    help: 'Time an actor takes to decide on a message, by message type',
    labelNames,
    buckets: MESSAGE_SECONDS,
    registers,
  });
  const commits = new Histogram({
    name: 'holdfast_append_commits',
    help: 'Commits made durable by one append',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  });
  const bytes = new Counter({ name: 'holdfast_append_bytes_total', help: 'Bytes of commits appended', registers });
  const append = new Histogram({
    name: 'holdfast_append_seconds',
    help: 'Time until one append is durable: in the own file, or at the broker',
    buckets: SECONDS,
    registers,
  });
  const sync = new Histogram({
    name: 'holdfast_sync_seconds',
    help: 'Time in which an append is written to the file and synced (fsync)',
    buckets: SECONDS,
    registers,
  });
  const deadLetters = new Counter({
    name: 'holdfast_dead_letters_total',
    help: 'Messages given up, by message type',
    labelNames,
    registers,
  });
  const crashes = new Counter({
    name: 'holdfast_actor_crashes_total',
    help: 'Crashes of actors, by aggregate type',
    labelNames: ['type'],
    registers,
  });
  const breakers = new Gauge({
    name: 'holdfast_breaker_state',
    help: 'Circuit breaker of a gateway: 0 closed, 1 half-open, 2 open',
    labelNames: ['gateway'],
    registers,
  });
  return {
    registry,
    messageHandled(kind, queueMs, processMs) {
      queueWait.observe({ kind }, queueMs / 1_000);
      processing.observe({ kind }, processMs / 1_000);
    },
    recordAppended(count, size, appendMs, syncMs) {
      commits.observe(count);
      bytes.inc(size);
      append.observe(appendMs / 1_000);
      if (syncMs !== undefined) sync.observe(syncMs / 1_000);
    },
    deadLettered: (kind) => deadLetters.inc({ kind }),
    actorCrashed: (type) => crashes.inc({ type }),
    breakerChanged: (gateway, state) => breakers.set({ gateway }, BREAKER_STATES[state]),
    gauges(sources) {
      gauge(registry, 'holdfast_live_actors', 'Actors in memory', sources.liveActors);
      gauge(registry, 'holdfast_mailbox_depth', 'Messages waiting in mailboxes', sources.mailboxDepth);
      gauge(registry, 'holdfast_timers_due', 'Timers that should have fired', sources.timersDue);
      gauge(registry, 'holdfast_timers_pending', 'Timers set', sources.timersPending);
      gauge(registry, 'holdfast_dead_letters', 'Messages that wait for the operator', sources.deadLetters);
      gauge(
        registry,
        'holdfast_dead_letters_limit',
        'More dead letters than this for 5 minutes are an alert',
        sources.deadLetterLimit,
      );
      gauge(registry, 'holdfast_quarantined_actors', 'Actors that get no messages for a while', sources.quarantined);
      gauge(registry, 'holdfast_outbox_pending', 'Messages sent and not acknowledged', sources.outboxPending);
    },
  };
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
