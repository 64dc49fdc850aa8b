/** `npm run cluster`: brokers and nodes on this machine, each node as `npm start` runs it. */
import { runCluster } from './run.ts';

/** As in package.json. */
const NODE = ['--max-old-space-size=512', '--max-semi-space-size=16', '--import', 'tsx', 'http/main.ts'];

await runCluster(NODE);
