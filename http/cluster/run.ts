/** From the command line to an exit code: signals, wrong use, and what is wrong with this machine. */
import { ConfigError } from '../../supervisors/config.ts';
import { BrokerNotStarted } from '../../transport/nats/server/broker.ts';
import { NoBrokerProgram } from '../../transport/nats/server/find.ts';
import { Launcher } from './launcher.ts';
import { planCluster, readArguments, USAGE } from './plan.ts';
import { createScreen } from './screen.ts';

/** npm passes Ctrl-C on to a process that got it from the terminal as well: that is one Ctrl-C, not two. */
const SAME_SIGNAL_MS = 300;

/** @param program Node's arguments that run one node */
export async function runCluster(program: readonly string[]): Promise<void> {
  try {
    const wanted = readArguments(process.argv.slice(2));
    if (wanted.help) {
      process.stdout.write(`${USAGE}\n`);
      return;
    }
    const plan = await planCluster(wanted, process.env);
    const readable = process.stdout.isTTY && (process.env['NODE_ENV'] || 'development') === 'development';
    const screen = createScreen({ output: process.stdout, readable, onBroken: () => launcher.stop() });
    const launcher = new Launcher({ plan, program, screen });
    stopOnSignals(launcher);
    process.exitCode = await launcher.run();
  } catch (error) {
    const expected = [ConfigError, NoBrokerProgram, BrokerNotStarted].some((type) => error instanceof type);
    process.stderr.write(`${error instanceof Error ? (expected ? error.message : error.stack) : error}\n`);
    process.exitCode = 1;
  }
}

/** The first stops, the second kills: what still runs is killed when this process exits. */
function stopOnSignals(launcher: Launcher): void {
  let first: number | undefined;
  const onSignal = (): void => {
    const now = performance.now();
    first ??= now;
    if (first === now) launcher.stop();
    else if (now - first > SAME_SIGNAL_MS) process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}
