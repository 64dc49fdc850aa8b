/** Ends every `switch` over a union: a case that the type check missed is a bug of ours, so it crashes into its supervisor. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
