/** Long queries are taken in pieces, and between two of them everything else gets its turn. */
export function otherWork(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
