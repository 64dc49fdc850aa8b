/** Resolves once everything that can happen without time passing has happened: all microtasks, one turn of immediates. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
