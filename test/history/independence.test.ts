/** A checker that shares code with the product shares its mistakes. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const independence = suite('history checker: independence');

const FOLDER = 'test/history/';
const TEST_TOOLS: ReadonlySet<string> = new Set(['uvu', 'uvu/assert']);
const IMPORT = /\bfrom\s+'([^']+)'|\bimport\(?\s*'([^']+)'/g;

/** Imports of anything but the checker's own files. */
function foreignImports(file: string, text: string): string[] {
  return [...text.matchAll(IMPORT)]
    .map(([, from, bare]) => from ?? bare ?? '')
    .filter(
      (target) =>
        !TEST_TOOLS.has(target) &&
        !(target.startsWith('.') && normalize(join(dirname(file), target)).startsWith(FOLDER)),
    )
    .map((target) => `${file} imports ${target}`);
}

independence('imports nothing but its own files', () => {
  const files = globSync(`${FOLDER}**/*.ts`).filter((file) => !file.endsWith('.test.ts'));
  assert.ok(files.length > 10, `only ${files.length} files found`);
  assert.equal(
    files.flatMap((file) => foreignImports(file, readFileSync(file, 'utf8'))),
    [],
  );
});

independence('finds a planted import', () => {
  const planted = (text: string): number => foreignImports(`${FOLDER}x.ts`, text).length;
  assert.is(planted("import { a } from '../../actors/order.ts';"), 1);
  assert.is(planted("import type { A } from '../support/client.ts';"), 1);
  assert.is(planted("const a = await import('../../http/edge.ts');"), 1);
  assert.is(planted("import { money } from 'nats';"), 1);
  assert.is(planted("import { a } from './facts.ts';"), 0);
});

independence.run();
