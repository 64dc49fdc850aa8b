/** The layers of the design, as a test: arrows point only downwards, each outside library lives in one folder. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const architecture = suite('architecture');

type Source = { readonly file: string; readonly text: string };

const SOURCES: readonly Source[] = globSync('{actors,supervisors,transport,storage,http}/**/*.ts')
  .sort()
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));

/** What a folder may import, besides itself. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  actors: [],
  storage: ['actors'],
  transport: ['actors'],
  supervisors: ['actors', 'storage', 'transport'],
  http: ['actors', 'storage', 'transport', 'supervisors'],
};

/** Where a library is at home; it can be replaced by touching that folder. */
const HOMES: readonly (readonly [library: RegExp, folder: string])[] = [
  [/^nact$/, 'supervisors'],
  [/^better-sqlite3$/, 'storage'],
  [/^(nats|@nats-io\/.*)$/, 'transport'],
  [/^(p-retry|cockatiel)$/, 'transport'],
  [/^(koa|@koa\/.*|koa-helmet|jose|@asteasolutions\/.*)$/, 'http'],
];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;
const TYPE_ONLY = /^\s*(?:import|export)\s+type\s/;

type Import = { readonly target: string; readonly typeOnly: boolean };

function importsOf({ text }: Source): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => ({
    target: match[1] ?? match[2] ?? match[3] ?? '',
    typeOnly: TYPE_ONLY.test(match[0].replace(/^\n/, '')),
  }));
}

const folderOf = (file: string): string => file.split('/')[0] ?? '';
const resolved = (file: string, target: string): string => normalize(join(dirname(file), target));

function layerViolations(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const folder = folderOf(source.file);
    return importsOf(source).flatMap(({ target }) => {
      if (!target.startsWith('.')) return homeViolation(source.file, folder, target);
      const to = resolved(source.file, target);
      if (source.file.startsWith('actors/kernel/') && !to.startsWith('actors/kernel/')) {
        return [`${source.file} imports ${to}: the kernel imports nothing`];
      }
      const toFolder = folderOf(to);
      const allowed = toFolder === folder || (BELOW[folder] ?? []).includes(toFolder);
      return allowed ? [] : [`${source.file} imports ${to}: ${folder}/ is below ${toFolder}/`];
    });
  });
}

function homeViolation(file: string, folder: string, library: string): string[] {
  if (folder === 'actors') return [`${file} imports ${library}: actors/ imports nothing from outside`];
  return HOMES.filter(([pattern, home]) => pattern.test(library) && home !== folder).map(
    ([, home]) => `${file} imports ${library}, which is at home in ${home}/`,
  );
}

/** Cycles of imports that exist at run time; types alone may refer to each other. */
function cycles(sources: readonly Source[]): string[] {
  const edges = new Map(
    sources.map((source) => [
      source.file,
      importsOf(source)
        .filter(({ target, typeOnly }) => target.startsWith('.') && !typeOnly)
        .map(({ target }) => resolved(source.file, target)),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  function visit(file: string, path: readonly string[]): void {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  }
  for (const file of edges.keys()) visit(file, []);
  return found;
}

/** Constructs that the house style bans, beyond what the linter knows. */
const BANNED: readonly (readonly [pattern: RegExp, folders: RegExp, why: string])[] = [
  [
    /Date\.now\(|new Date\(\)|Math\.random\(|\bset(Timeout|Interval|Immediate)\(|randomUUID/,
    /^actors\//,
    'time and chance come in as arguments',
  ],
  [/\bnact\b.*\bquery\b|\bquery\(/, /^supervisors\//, "nact's query mixes up answers under load"],
  [/\bas any\b|: any\b|@ts-(ignore|nocheck|expect-error)/, /./, 'no way around the type check'],
  [/export \* from/, /./, 'public names are listed one by one'],
];
const MAX_LINES = 420;

function bannedUses(sources: readonly Source[]): string[] {
  return sources.flatMap(({ file, text }) => [
    ...BANNED.filter(([pattern, folders]) => folders.test(file) && pattern.test(withoutComments(text))).map(
      ([, , why]) => `${file}: ${why}`,
    ),
    ...(text.split('\n').length > MAX_LINES ? [`${file} is longer than ${MAX_LINES} lines`] : []),
  ]);
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');

architecture('reads the whole tree', () => {
  assert.ok(SOURCES.length > 50, `only ${SOURCES.length} sources found`);
  const imports = SOURCES.flatMap(importsOf);
  assert.ok(imports.length > 200, `only ${imports.length} imports found`);
});

architecture('imports point only downwards, and each library stays at home', () => {
  assert.equal(layerViolations(SOURCES), []);
});

architecture('has no import cycles', () => {
  assert.equal(cycles(SOURCES), []);
});

architecture('has no banned construct', () => {
  assert.equal(bannedUses(SOURCES), []);
});

architecture('finds planted violations', () => {
  const planted = (file: string, text: string): Source => ({ file, text });
  assert.is(layerViolations([planted('actors/x.ts', "import { a } from '../storage/y.ts';")]).length, 1);
  assert.is(layerViolations([planted('actors/kernel/x.ts', "import type { A } from '../y.ts';")]).length, 1);
  assert.is(layerViolations([planted('supervisors/x.ts', "import { a } from '../http/y.ts';")]).length, 1);
  assert.is(layerViolations([planted('http/x.ts', "import Database from 'better-sqlite3';")]).length, 1);
  assert.is(layerViolations([planted('actors/x.ts', "import {\n  a,\n  b,\n} from 'zod';")]).length, 1);
  assert.is(layerViolations([planted('storage/x.ts', "const a = await import('../http/y.ts');")]).length, 1);
  assert.is(
    cycles([planted('a/x.ts', "import { y } from './y.ts';"), planted('a/y.ts', "export { x } from './x.ts';")]).length,
    1,
  );
  assert.is(bannedUses([planted('actors/x.ts', 'const now = Date.now();')]).length, 1);
  assert.is(bannedUses([planted('actors/x.ts', '// Date.now() is not for us')]).length, 0);
});

architecture.run();
