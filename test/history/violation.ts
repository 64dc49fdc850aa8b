/** What a check found: a stable code to count by, and words to understand it by. */
export type Violation = { readonly code: string; readonly text: string };

export function violation(code: string, text: string): Violation {
  return { code, text };
}
