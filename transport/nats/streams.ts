/**
 * Streams with exactly the settings that are relied on. An old broker drops settings it doesn't know without a word, and
 * an existing stream may have been made or changed by somebody else: so every setting is read back.
 */

import { setTimeout as pause } from 'node:timers/promises';
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from 'nats';
import { BrokerUnreachable, brokerError, StreamMismatch, StreamMissing, StreamUnavailable } from './errors.ts';

/** Brokers that have just elected a leader may need a moment for a new stream. */
const DEADLINE_MS = 30_000;
const PAUSE_MS = 200;
const NAME_IN_USE = 10058;

/** All of it is on file, kept until it is purged or a limit is reached, and what exceeds a limit is refused. */
export type StreamSettings = {
  /** Letters, digits, `-` and `_`. */
  readonly name: string;
  readonly subjects: readonly string[];
  /** Shown to operators; may differ. */
  readonly description?: string;
  readonly replicas: number;
  /** How long the same message id is stored once only, in ms. */
  readonly duplicateWindowMs: number;
  /** Single messages can't be deleted; purging up to a position is another thing. */
  readonly denyDelete: boolean;
  /** Of one subject; the newest stay. Unlimited without it. */
  readonly messagesPerSubject?: number;
  /** Of one message, headers included; unlimited without it. */
  readonly maxMessageBytes?: number;
  /** Of the whole stream: publishing fails beyond it. Unlimited without it. */
  readonly maxBytes?: number;
};

/**
 * Makes the stream, or accepts the one that is there.
 * @throws StreamMismatch when it isn't as the settings say; TooFewBrokers, StreamFull, BrokerForbids;
 *   StreamUnavailable, BrokerUnreachable when they last
 */
export async function ensureStream(manager: JetStreamManager, settings: StreamSettings): Promise<void> {
  const wanted = configOf(settings);
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      const found = await readStream(manager, settings.name);
      if (found === undefined) await createStream(manager, wanted, settings.description);
      const differences = differencesOf(wanted, found ?? (await manager.streams.info(settings.name)).config);
      if (differences.length > 0) throw mismatch(settings.name, found === undefined, differences);
      return;
    } catch (error) {
      const named = brokerError(error, `open the stream ${settings.name}`);
      // Missing right after it was made, by us or by a node that starts at the same time: not every broker has it yet.
      const passing = [StreamUnavailable, BrokerUnreachable, StreamMissing].some((kind) => named instanceof kind);
      if (!passing || performance.now() + PAUSE_MS > deadline) throw named;
      await pause(PAUSE_MS);
    }
  }
}

/** What matters; the broker fills in the rest. */
type WantedConfig = Pick<
  StreamConfig,
  'name' | 'subjects' | 'retention' | 'storage' | 'discard' | 'num_replicas' | 'duplicate_window' | 'deny_delete'
> &
  Pick<
    StreamConfig,
    'max_msg_size' | 'max_bytes' | 'max_msgs' | 'max_age' | 'max_msgs_per_subject' | 'sealed' | 'no_ack' | 'deny_purge'
  >;

function configOf(settings: StreamSettings): WantedConfig {
  return {
    name: settings.name,
    subjects: [...settings.subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    num_replicas: settings.replicas,
    duplicate_window: nanos(settings.duplicateWindowMs),
    deny_delete: settings.denyDelete,
    max_msg_size: settings.maxMessageBytes ?? -1,
    max_bytes: settings.maxBytes ?? -1,
    max_msgs: -1,
    max_msgs_per_subject: settings.messagesPerSubject ?? -1,
    max_age: 0,
    sealed: false,
    no_ack: false,
    deny_purge: false,
  };
}

async function readStream(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (brokerError(error, '') instanceof StreamMissing) return undefined;
    throw error;
  }
}

async function createStream(manager: JetStreamManager, wanted: WantedConfig, description?: string): Promise<void> {
  try {
    await manager.streams.add({ ...wanted, ...(description !== undefined && { description }) });
  } catch (error) {
    // Another node was faster; whether its stream is the right one is looked at next.
    if (!(error instanceof JetStreamApiError && error.code === NAME_IN_USE)) throw error;
  }
}

function differencesOf(wanted: WantedConfig, found: StreamConfig): readonly string[] {
  const has: Readonly<Record<string, unknown>> = found;
  return Object.entries(wanted).flatMap(([key, value]) => {
    // The broker leaves out what is false or nothing.
    const is = has[key] ?? (typeof value === 'boolean' ? false : typeof value === 'number' ? 0 : undefined);
    return JSON.stringify(is) === JSON.stringify(value)
      ? []
      : [`${key} is ${JSON.stringify(is)}, not ${JSON.stringify(value)}`];
  });
}

function mismatch(name: string, isNew: boolean, differences: readonly string[]): StreamMismatch {
  const rows = differences.map((line) => `\n  ${line}`).join('');
  const what = isNew
    ? `the broker made the stream ${name} otherwise than asked; it may be too old:`
    : `the stream ${name} is not as it must be; change it with the nats tool, or start with the settings it was made with:`;
  return new StreamMismatch(`${what}${rows}`, differences);
}
