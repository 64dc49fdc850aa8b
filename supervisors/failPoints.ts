/** Places where a crash test kills its own process, the way a power cut would: no handler runs, nothing is flushed. */
import type { FailPoint, FailPointName } from '../actors/kernel/ports.ts';

const names: Readonly<Record<FailPointName, true>> = {
  'before-append': true,
  'after-append-before-apply': true,
  'after-append-before-reply': true,
  'before-send': true,
  'after-send': true,
  'before-gateway-call': true,
  'after-gateway-call': true,
};

/**
 * `config` is `name:nth`: the process is killed when the named point is passed for the nth time. Without it the points
 * do nothing. Throws on a configuration that it does not understand.
 */
export function createFailPoints(config: string | undefined): FailPoint {
  if (config === undefined || config === '') return () => undefined;
  const [name = '', count = '', ...rest] = config.split(':');
  if (!Object.hasOwn(names, name) || !/^[1-9]\d*$/.test(count) || rest.length > 0) {
    throw new Error(`FAIL_POINT must be <name>:<nth> with a name of ${Object.keys(names).join(', ')}; got "${config}"`);
  }
  let passingsLeft = Number(count);
  return (passed) => {
    if (passed !== name) return;
    passingsLeft -= 1;
    if (passingsLeft === 0) process.kill(process.pid, 'SIGKILL');
  };
}
