/** The question by which a node gets a shard from a live owner, and what that one may say. */

export type HandOverRequest = {
  readonly kind: 'hand-over';
  readonly shard: number;
  /** The claim that the asking node believes to be in force. */
  readonly epoch: number;
  /** Who asks. */
  readonly to: string;
};

export type HandOverAnswer =
  /** The release is in the log. */
  | { readonly kind: 'released' }
  /** The asked node doesn't hold this claim. */
  | { readonly kind: 'not-owner' }
  /** Ask again later: other shards move just now, or the asked node wants somebody else to have it. */
  | { readonly kind: 'refused'; readonly reason: 'busy' | 'not-wanted' };

export function isHandOverRequest(body: unknown): body is HandOverRequest {
  if (typeof body !== 'object' || body === null) return false;
  const { kind, shard, epoch, to } = body as Readonly<Record<string, unknown>>;
  return kind === 'hand-over' && Number.isSafeInteger(shard) && Number.isSafeInteger(epoch) && typeof to === 'string';
}

/** @throws TypeError for anything else */
export function asHandOverAnswer(body: unknown): HandOverAnswer {
  const { kind, reason } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (kind === 'released' || kind === 'not-owner') return { kind };
  if (kind === 'refused' && (reason === 'busy' || reason === 'not-wanted')) return { kind, reason };
  throw new TypeError(`not an answer to a hand-over: ${JSON.stringify(body)}`);
}
