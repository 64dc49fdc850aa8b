/** Connections are taken in as they come, also while each turn of the event loop has much to do. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDoors } from '../../http/doors.ts';
import { eventually } from '../support/eventually.ts';

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

doors('whoever comes when all places are taken is sent away, at whichever socket, until one is free', async () => {
  const server = createServer((_, response) => void response.end('welcome'));
  const { open, close } = createDoors(server, 3);
  const { port, url } = await open('127.0.0.1', 0);
  const guests = await Promise.all(Array.from({ length: 3 }, () => visit(port)));
  assert.is(await fetch(url).then(String, () => 'sent away'), 'sent away');
  guests[0]?.destroy();
  await eventually('there is a place', () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  for (const guest of guests) guest.destroy();
  await close(0);
});

function visit(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => resolve(socket));
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  });
}

doors.run();
