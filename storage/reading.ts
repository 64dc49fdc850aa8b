import type { Statement } from 'better-sqlite3';
import type { Db } from './database.ts';

const READS = new Set<PropertyKey>(['get', 'all', 'iterate']);
/** Change how a statement answers, and return it. */
const MODES = new Set<PropertyKey>(['pluck', 'raw', 'expand']);

/** The same connection, but before each query of a statement prepared through it `first` runs. */
export function readingAfter(db: Db, first: () => void): Db {
  return new Proxy(db, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name !== 'prepare') return member.bind(target);
      return (sql: string) => statementAfter(target.prepare(sql), first);
    },
  });
}

function statementAfter(statement: Statement, first: () => void): Statement {
  const bound = new Map<PropertyKey, unknown>();
  const after: Statement = new Proxy(statement, {
    get(target, name) {
      const known = bound.get(name);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const call = (...args: unknown[]): unknown => {
        if (READS.has(name)) first();
        const result: unknown = Reflect.apply(member, target, args);
        return MODES.has(name) ? after : result;
      };
      bound.set(name, call);
      return call;
    },
  });
  return after;
}
