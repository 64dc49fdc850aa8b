/** `npm run broker`: finds nats-server, or fetches it, and says which one it is. Ends with 1 when there is none. */
import { findBroker, NoBrokerProgram } from '../transport/nats/server/find.ts';
import { versionText } from '../transport/nats/version.ts';

try {
  const onFetch = (source: string): void => void process.stdout.write(`Fetching nats-server: ${source}\n`);
  const { program, version } = await findBroker({ onFetch });
  process.stdout.write(`nats-server ${versionText(version)}: ${program}\n`);
} catch (error) {
  const expected = error instanceof NoBrokerProgram;
  process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
