/** Turns what a schema says about a request into a 400 that names each offending member. */
import type { z } from 'zod';
import { Problem, type ProblemError } from './problem.ts';

const MAX_ERRORS = 20;

type Part = NonNullable<ProblemError['in']>;

export function validated<Output>(schema: z.ZodType<Output>, value: unknown, part: Part): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue) => errorsOf(issue, value, part));
  throw invalid(errors.slice(0, MAX_ERRORS));
}

function invalid(errors: readonly ProblemError[]): Problem {
  const first = errors[0];
  const place = first === undefined ? '' : ` (${first.pointer || '/'}: ${first.detail})`;
  return new Problem(400, 'request.invalid', `The request does not match its schema${place}.`, { errors });
}

function errorsOf(issue: z.core.$ZodIssue, value: unknown, part: Part): ProblemError[] {
  const at = (path: readonly PropertyKey[], code: string, detail: string): ProblemError => ({
    in: part,
    pointer: pointer(path),
    code,
    detail,
  });
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => at([...issue.path, key], 'unknown-member', 'This member is not known here.'));
  }
  if (valueAt(value, issue.path) === undefined) return [at(issue.path, 'required', 'This member is required.')];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // Of several forms the one that was probably meant: with the fewest things wrong.
    const [meant = []] = [...issue.errors].sort((a, b) => a.length - b.length);
    return meant.flatMap((inner) => errorsOf({ ...inner, path: [...issue.path, ...inner.path] }, value, part));
  }
  return [at(issue.path, issue.code.replaceAll('_', '-'), issue.message)];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, step) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, step) : undefined),
    value,
  );
}

/** RFC 6901. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
