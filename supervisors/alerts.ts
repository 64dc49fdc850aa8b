/** Tells operators, in the log and the metrics, of events that somebody should look at, as soon as they are durable. */
import { Counter, type Registry } from 'prom-client';
import { alertOf } from '../actors/alerts.ts';
import type { EncodedRecord, ShardLog } from '../actors/kernel/ports.ts';

type AlertOptions = {
  readonly registry: Registry;
  readonly logger: { warn(fields: object, text: string): void };
};

/** Returns what is to be laid over each log. */
export function createAlerts({ registry, logger }: AlertOptions): (log: ShardLog) => ShardLog {
  const alerts = new Counter({
    name: 'holdfast_alerts_total',
    help: 'Events that somebody should look at, by kind',
    labelNames: ['alert'] as const,
    registers: [registry],
  });
  function tell({ record }: EncodedRecord): void {
    for (const { key, events } of record.commits) {
      for (const event of events) {
        const alert = alertOf(event);
        if (alert === undefined) continue;
        alerts.inc({ alert });
        logger.warn({ alert, actor: key }, 'alert');
      }
    }
  }
  return (log) => ({
    async append(encoded) {
      await log.append(encoded);
      tell(encoded);
    },
  });
}
