/** Connections are taken in as they come, also while each turn of the event loop has much to do. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDoors } from '../../http/doors.ts';

const doors = suite('doors');

const CLIENTS = 400;
/** Longer than all clients need to knock. */
const BUSY_MS = 500;
const KNOCK = `
  for (let n = 0; n < ${CLIENTS}; n++) require('node:net').connect(Number(process.argv[1]), '127.0.0.1').on('error', () => {});
`;

doors('a crowd is let in within far fewer turns than it has members', async () => {
  const server = createServer();
  let inside = 0;
  server.on('connection', () => (inside += 1));
  const { open, close } = createDoors(server);
  const { port } = await open('127.0.0.1', 0);
  const crowd = spawn(process.execPath, ['-e', KNOCK, String(port)]);
  while (inside === 0) await turn();
  const until = performance.now() + BUSY_MS;
  while (performance.now() < until);
  let turns = 0;
  for (; inside < CLIENTS; turns += 1) await turn();
  crowd.kill('SIGKILL');
  await close(0);
  assert.ok(turns < CLIENTS / 4, `${turns} turns for ${CLIENTS} clients`);
});

doors.run();
