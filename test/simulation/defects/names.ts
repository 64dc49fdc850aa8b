/** Mistakes that are planted on purpose, to see that the simulation finds them. */
export const DEFECTS = {
  'reply-before-durable': 'answers and messages leave before the log has taken what they show',
  'send-before-durable': 'messages to other shards leave before the log has taken what sends them',
  'duplicates-done-twice': 'what was answered before a take-over is not recognised after it',
  'answer-not-stored': 'a repeated request is not given the first answer after a take-over',
  'claims-not-compared': 'an owner appends without asking after somebody else has claimed, and the broker takes it',
  'newest-commit-overlooked': 'an actor is loaded without the newest commit of its history',
  'inbox-skips-one': 'a new owner begins to read the inbox one message too late',
  'inbox-trimmed-early': 'the inbox is trimmed of what was read, before it is answered durably',
  'inbox-loses': 'now and then a message is called stored without being so',
  'outbox-forgotten': 'a new owner does not send what the last one had not',
  'timers-forgotten': 'a new owner does not look for timers before it sets one',
  'stale-reads': 'a node without contact to the broker goes on answering from memory',
  oversell: 'stock is reserved whether or not it is there',
  'hold-not-released': 'a released reservation is called released, and kept',
  'unknown-is-declined': 'a payment whose outcome is unknown counts as declined',
  'refund-twice': 'a refund is asked for under two keys',
  'capture-twice': 'a capture is asked for under two keys',
  'cancellation-forgotten': 'a cancellation is acknowledged, and nothing comes of it',
  'list-not-kept': 'the list of stock misses a change now and then',
  'secret-made-anew': 'a node that starts again derives ids from another secret',
} as const;

export type Defect = keyof typeof DEFECTS;

export function isDefect(name: string): name is Defect {
  return Object.hasOwn(DEFECTS, name);
}
