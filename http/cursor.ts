/** Opaque page cursors: the position after which the next page starts, tied to the query that it belongs to. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { Problem } from './problem.ts';

/** `scope` names the list and its filters; a cursor of another list is refused instead of skipping rows silently. */
export function encodeCursor(scope: string, position: unknown): string {
  return Buffer.from(JSON.stringify([scope, position])).toString('base64url');
}

export function decodeCursor<Position>(cursor: string, scope: string, schema: z.ZodType<Position>): Position {
  const refused = (cause?: unknown) =>
    new Problem(400, 'request.invalid-cursor', 'The cursor is not one of this list.', {
      errors: [{ in: 'query', pointer: '/cursor', code: 'invalid', detail: 'Use the `next` of the page before.' }],
      cause,
    });
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (error) {
    throw refused(error);
  }
  if (!Array.isArray(decoded) || decoded[0] !== scope) throw refused();
  const parsed = schema.safeParse(decoded[1]);
  if (!parsed.success) throw refused(parsed.error);
  return parsed.data;
}

/** Names a list with its filters, however many, in few letters. */
export function scopeOf(list: string, filters: object): string {
  return `${list}/${createHash('sha256').update(JSON.stringify(filters)).digest('base64url').slice(0, 16)}`;
}
