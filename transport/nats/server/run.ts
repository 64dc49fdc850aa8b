/** Runs a helper program to its end. */
import { execFile } from 'node:child_process';

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Of what a failed program said: enough to see why, short enough for a message. */
const SHOWN_CHARACTERS = 400;

export type Environment = Readonly<Record<string, string | undefined>>;

export type RunOptions = {
  readonly env: Environment;
  readonly timeoutMs: number;
  /** The folder to run in; that of this process without it. */
  readonly folder?: string;
};

/**
 * Resolves with what the program wrote to both outputs.
 * @throws Error that names the program and how it ended
 */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { env, timeoutMs, folder } = options;
  const limits = { timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES };
  return new Promise((resolve, refuse) => {
    execFile(command, args, { ...limits, env: { ...env }, ...(folder && { cwd: folder }) }, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else refuse(new Error(`${command}: ${reasonOf(error, stderr, timeoutMs)}`, { cause: error }));
    });
  });
}

type Ended = { readonly code?: string | number | null; readonly killed?: boolean; readonly message: string };

function reasonOf({ code, killed, message }: Ended, stderr: string, timeoutMs: number): string {
  if (code === 'ENOENT') return 'not on this machine';
  if (killed === true) return `no end after ${timeoutMs / 1_000} s`;
  const said = stderr.trim().slice(-SHOWN_CHARACTERS);
  return said === '' ? message : said;
}
