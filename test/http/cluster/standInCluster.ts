/** The launcher as `npm run cluster` runs it, with stand-ins for the nodes. */
import { runCluster } from '../../../http/cluster/run.ts';

await runCluster(['--import', 'tsx', 'test/http/cluster/standIn.ts']);
