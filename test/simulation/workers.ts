/** Processes that run seeds, so that each has a core and a process of its own for its simulated world. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RunOptions, RunResult } from './options.ts';

type Told = { readonly result: RunResult } | { readonly failed: string };

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** A run that takes longer in real time hangs. */
const HANGS_MS = 300_000;

export class Worker {
  readonly #process: ChildProcess;

  constructor() {
    this.#process = fork(WORKER, [], { execArgv: ['--import', 'tsx'] });
  }

  /** @throws Error when the run itself fails, or hangs */
  run(options: RunOptions): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      const child = this.#process;
      const end = (act: () => void): void => {
        clearTimeout(late);
        child.off('message', told).off('exit', ended);
        act();
      };
      const told = (message: Told): void =>
        end(() => ('result' in message ? resolve(message.result) : reject(new Error(message.failed))));
      const ended = (code: number | null): void =>
        end(() => reject(new Error(`seed ${options.seed}: its process ended with ${code}`)));
      const late = setTimeout(() => {
        end(() => reject(new Error(`seed ${options.seed} hangs`)));
        this.stop();
      }, HANGS_MS);
      child.on('message', told).on('exit', ended);
      child.send(options);
    });
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}
