/** `npm start`: checks that this Node can run Holdfast before anything is loaded that would crash it. */
const MIN_NODE = 22;
const major = Number(process.versions.node.split('.')[0]);
if (major < MIN_NODE) {
  process.stderr.write(
    `Holdfast needs Node ${MIN_NODE} or newer; this is ${process.versions.node}.\n` +
      'Start it with "npm start": that uses the Node that "npm install" put into node_modules.\n',
  );
  process.exit(1);
}
const { serve } = await import('./serve.ts');
await serve();

export {};
