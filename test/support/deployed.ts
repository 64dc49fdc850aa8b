/** What the examples in deploy/ say, put in the form in which a test can ask. */
import { globSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

/** A parsed document; tests ask it by path, and what isn't there is undefined. */
export type Node = {
  readonly value: unknown;
  at(...path: readonly (string | number)[]): Node;
  list(): readonly Node[];
};

export function node(value: unknown): Node {
  return {
    value,
    at: (...path) =>
      node(path.reduce<unknown>((each, key) => (each as Record<string, unknown> | undefined)?.[key], value)),
    list: () => (Array.isArray(value) ? value.map(node) : []),
  };
}

/** @throws when it is no YAML */
export const readCompose = (): Node => node(parse(readFileSync('deploy/compose.yaml', 'utf8'), { merge: true }));

/** @throws when one is no YAML; strict: a key that stands twice is an error */
export function readKubernetes(): readonly Node[] {
  return globSync('deploy/kubernetes/*.yaml').flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
      return node(document.toJS());
    }),
  );
}

/** `${NAME:?why}` and `${NAME:-default}`, as compose fills them in. */
export function filledIn(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_whole, name: string, kind?: string, rest?: string) => {
    const value = environment[name] ?? (kind === '-' ? rest : undefined);
    if (value === undefined) throw new Error(`${name} is needed: ${rest ?? ''}`);
    return value;
  });
}

/** `60s` or `1m30s` in ms. */
export function durationMs(text: unknown): number {
  const parts = [...String(text).matchAll(/(\d+)(ms|s|m|h)/g)];
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  if (parts.length === 0) throw new Error(`no duration: ${text}`);
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0);
}
