/** Stands in for a node under the launcher: listens, is ready, says what it was given, and ends when told to. */
import { createServer } from 'node:http';
import { connect } from 'node:net';

const { NODE_NAME = '', NATS_URL = '', DATA_DIR, PORT, REPLICAS, STUBBORN } = process.env;

const say = (fields: object): void => void process.stdout.write(`${JSON.stringify(fields)}\n`);

function brokerListens(): Promise<boolean> {
  const { hostname, port } = new URL(NATS_URL.split(',')[0] ?? '');
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
}

const server = createServer((request, response) => {
  const exit = /^\/exit\/(\d+)$/.exec(request.url ?? '')?.[1];
  if (exit !== undefined) process.exit(Number(exit));
  if (request.url === '/say') say({ msg: 'asked to say something' });
  response.end('ok');
});
server.listen(Number(PORT), '127.0.0.1', () => {
  say({ msg: 'started', name: NODE_NAME, pid: process.pid, NATS_URL, DATA_DIR, PORT, REPLICAS });
  if (NODE_NAME === 'node-1') process.stdout.write('\n  Operator (shown once)  operator@example.com  secret\n\n');
});
process.on('SIGTERM', async () => {
  say({ msg: 'told to stop', name: NODE_NAME, broker: await brokerListens() });
  if (STUBBORN !== NODE_NAME) process.exit(0);
});
