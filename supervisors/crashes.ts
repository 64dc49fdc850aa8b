/** What becomes of a message that crashed its actor, and of an actor that crashes again and again. */
import type { Logger } from 'pino';
import type { Telemetry } from '../actors/kernel/ports.ts';
import type { Actor, Delivery } from './actors.ts';
import { QUARANTINE_MS, type Quarantine } from './quarantine.ts';

/** Crashes of an actor by one message before the message is given up. */
const MAX_CRASHES = 3;
const FIRST_BACK_OFF_MS = 20;
const BACK_OFF_FACTOR = 4;
/** Messages given up in a row before an actor is put into quarantine. */
const MAX_STRIKES = 5;

export type CrashesOptions = {
  readonly quarantine: Quarantine;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
};

/** Says when to try the message again, in ms from now; undefined when it is to be given up. */
export type Crashes = (actor: Actor, delivery: Delivery, error: Error) => number | undefined;

export function createCrashes({ quarantine, logger, telemetry }: CrashesOptions): Crashes {
  function strike(actor: Actor, error: Error): void {
    actor.strikes += 1;
    if (actor.strikes < MAX_STRIKES) return;
    actor.strikes = 0;
    quarantine.put(actor.key, `${error.name}: ${error.message}`);
    logger.error(
      { actor: actor.key, quarantineMs: QUARANTINE_MS },
      'an actor crashed again and again and is in quarantine; the others go on',
    );
  }

  return (actor, delivery, error) => {
    const { envelope } = delivery;
    delivery.crashes += 1;
    telemetry.actorCrashed(actor.address.type);
    logger.error(
      {
        err: error,
        actor: actor.key,
        message: envelope.message.type,
        id: envelope.id,
        trace: envelope.trace,
        crashes: delivery.crashes,
      },
      'an actor crashed; it was reset to its last decided state',
    );
    if (delivery.crashes < MAX_CRASHES) return FIRST_BACK_OFF_MS * BACK_OFF_FACTOR ** (delivery.crashes - 1);
    strike(actor, error);
    return undefined;
  };
}
