/** A disk that is full for one process alone, for whoever may not mount a small one: its files may not grow any more. */
import { execFileSync } from 'node:child_process';

/** @param bytes of each file at most; writes beyond fail, as on a full disk */
export function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}

/** util-linux has it, other systems don't. */
export function canLimitFiles(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
