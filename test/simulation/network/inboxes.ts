/** The shards' inboxes of a simulated broker. */
import { EnvelopeRefused, type Following, type Inbox, InboxUnavailable } from '../../../actors/kernel/clusterPorts.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../transport/nats/envelopes.ts';
import { type KeptStream, tail } from './keptStream.ts';
import type { Line } from './line.ts';

export type InboxEntries = KeptStream<Uint8Array>;

const ATTEMPT_MS = 2_000;
const MAX_ATTEMPTS = 4;
const MAX_BYTES = 1024 * 1024;
const HANDLER_PAUSE_MS = 10;

export type NodeInbox = Inbox & { end(shard: number): Promise<number> };

/** @param arrived is told the id of each message that is put */
export function inboxOf(streams: readonly InboxEntries[], line: Line, arrived: (id: string) => void): NodeInbox {
  const at = (shard: number): InboxEntries => {
    const stream = streams[shard];
    if (!stream) throw new Error(`there is no shard ${shard}`);
    return stream;
  };
  /** What a reader was handed last, by shard. */
  const handed = new Map<number, { readonly position: number; readonly id: string }>();
  return {
    async put(shard, envelope) {
      const bytes = encodeEnvelope(envelope);
      if (bytes.length > MAX_BYTES) throw new EnvelopeRefused(`${envelope.id} is too large`);
      const stream = at(shard);
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const { kind } = await line.ask(() => {
          arrived(envelope.id);
          return stream.known(envelope.id) ?? stream.store(envelope.id, bytes, line.network.world.now);
        }, ATTEMPT_MS);
        if (kind === 'answer') return;
      }
      throw new InboxUnavailable('simulated: no answer');
    },
    read(shard, after, on) {
      const stream = at(shard);
      let stopped = false;
      let following: Following = { stop: () => undefined };
      const begin = (from: number): void => {
        following = tail(stream, line, from, {
          entry: async ({ position, id, payload }) => {
            handed.set(shard, { position, id });
            while (!stopped) {
              try {
                return await on(position, decodeEnvelope(payload));
              } catch {
                await new Promise((resolve) => setTimeout(resolve, HANDLER_PAUSE_MS));
              }
            }
          },
          // The broker lost what it had, or has no more what is before: all that there is.
          ended: () => begin(stream.first - 1),
        });
      };
      begin(after);
      return {
        stop() {
          stopped = true;
          following.stop();
        },
      };
    },
    async trim(shard, upTo) {
      await line.ask(() => {
        const { position = 0, id } = handed.get(shard) ?? {};
        const stream = at(shard);
        // Else it would take what nobody has read.
        if (upTo <= stream.last && (position < upTo || stream.holds(position, id))) stream.trim(upTo);
      }, ATTEMPT_MS);
    },
    async end(shard) {
      const answered = await line.ask(() => at(shard).last, ATTEMPT_MS);
      if (answered.kind === 'lost') throw new InboxUnavailable('simulated: no answer');
      return answered.value;
    },
  };
}
