/** How our own commands talk to the node that runs on DATA_DIR: as staff, with a short-lived token made of its secret. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AUTH_SECRET_FILE, developmentSecret } from '../storage/dataFolder.ts';
import type { Config } from '../supervisors/config.ts';
import { createTokens } from './auth.ts';

const TOKEN_SECONDS = 60;
/** A node that is busy, or just starting, is asked again. */
const BUSY_PAUSE_MS = 2_000;
const BUSY_TRIES = 30;

/** The node can't be asked or refuses; the message says what to do. */
export class NodeRefused extends Error {
  override readonly name = 'NodeRefused';
}

export interface NodeClient {
  /** @throws NodeRefused for every answer that isn't a success */
  call<Body>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Body>;
}

/** Where somebody on the same machine reaches a node that listens there. */
export function nodeUrl(host: string, port: number): string {
  const reached = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

/** @param command who asks, for the node's records */
export function createNodeClient(config: Config, command: string): NodeClient {
  const url = nodeUrl(config.HOST, config.PORT);
  const tokens = createTokens({ secret: secretOf(config) });

  async function request(method: string, path: string, body: unknown): Promise<Response> {
    const { token } = await tokens.issue({ sub: command, role: 'staff', scopes: ['cluster'] }, TOKEN_SECONDS);
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const headers = { authorization: `Bearer ${token}`, ...json };
    return fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }).catch(
      (error: unknown) => {
        const advice = `A node has the store, but nobody answers at ${url}: set HOST and PORT as it has them.`;
        throw new NodeRefused(advice, { cause: error });
      },
    );
  }

  return {
    async call<Body>(method: 'GET' | 'POST', path: string, body?: unknown) {
      for (let tries = 1; ; tries++) {
        const answer = await request(method, path, body);
        if (answer.ok) return (await answer.json()) as Body;
        if (answer.status === 401) {
          throw new NodeRefused('The node does not know this AUTH_SECRET: set it as the node has it.');
        }
        if (answer.status !== 503 || tries === BUSY_TRIES) {
          throw new NodeRefused(`The node answered ${answer.status}: ${await answer.text()}`);
        }
        await pause(BUSY_PAUSE_MS);
      }
    },
  };
}

function secretOf({ AUTH_SECRET, DATA_DIR }: Config): string {
  if (AUTH_SECRET !== undefined) return AUTH_SECRET;
  if (existsSync(join(DATA_DIR, AUTH_SECRET_FILE))) return developmentSecret(DATA_DIR);
  throw new NodeRefused('A node has the store; to ask it, set AUTH_SECRET as the node has it.');
}
