/** What a check has to say. */
export type Level =
  /** An invariant is broken: money, stock or a message is lost, doubled or left behind. */
  | 'critical'
  /** Somebody has to act, or it stays so. */
  | 'warning'
  /** Worth knowing. */
  | 'info';

/** `code` is stable; `ids` name what it is about, most telling first: order ids, address keys, message ids. */
export type Finding = {
  readonly level: Level;
  readonly code: string;
  readonly text: string;
  readonly ids: readonly string[];
};

export function finding(level: Level, code: string, text: string, ...ids: readonly string[]): Finding {
  return { level, code, text, ids };
}

/** Time that a timer may be late, before what waits for it counts as forgotten. */
export const GRACE_MS = 60_000;
