/**
 * States and events as staff may see them. Tokens and hashes of passwords are for nobody's eyes; what is personal only for
 * those who may.
 */

/** Payment tokens, hashes of passwords, and links that act for who has them. */
const SECRET: ReadonlySet<string> = new Set(['token', 'paymentToken', 'passwordHash', 'url']);
const PERSONAL: ReadonlySet<string> = new Set([
  'personal',
  'address',
  'billingAddress',
  'addressCheck',
  'check',
  'email',
]);
/** What is personal in one type of aggregate only: a product has a name too. */
const PERSONAL_OF: Readonly<Record<string, readonly string[]>> = {
  customer: ['name'],
  // Of a note.
  order: ['text'],
};

export function redacted(type: string, value: unknown, showPersonal: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => redacted(type, item, showPersonal));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (SECRET.has(name)) return [name, hidden(member, '[secret]')];
      const personal = PERSONAL.has(name) || PERSONAL_OF[type]?.includes(name);
      return [name, personal && !showPersonal ? hidden(member, '[personal]') : redacted(type, member, showPersonal)];
    }),
  );
}

/** That there is nothing to hide may be seen. */
function hidden(member: unknown, mark: string): unknown {
  return member === null || member === undefined ? member : mark;
}
