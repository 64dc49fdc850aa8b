/** A process in which runs happen, one after the other, as its parent asks. */
import './world/install.ts';
import type { RunOptions } from './options.ts';
import { run } from './run.ts';

process.on('message', (options: RunOptions) => {
  run(options).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ failed: error instanceof Error ? error.stack : String(error) }),
  );
});
