/** How our own commands talk to the node that runs on DATA_DIR: as staff, with a short-lived token made of its secret. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AUTH_SECRET_FILE, developmentSecret } from '../storage/dataFolder.ts';
import type { Config } from '../supervisors/config.ts';
import { createTokens } from './auth.ts';

/** The node can't be asked; the message says what to do. */
export class NodeUnreachable extends Error {
  override readonly name = 'NodeUnreachable';
}

export type NodeAnswer = { readonly status: number; readonly text: string };

export interface NodeClient {
  /** @throws NodeUnreachable */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<NodeAnswer>;
}

/** @param command who asks, for the node's records */
export function createNodeClient(config: Config, command: string): NodeClient {
  const host = ['0.0.0.0', '::'].includes(config.HOST) ? '127.0.0.1' : config.HOST;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${config.PORT}`;
  const tokens = createTokens({ secret: secretOf(config) });
  return {
    async call(method, path, body) {
      const { token } = await tokens.issue({ sub: command, role: 'staff', scopes: ['cluster'] });
      const headers = {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      };
      const request = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
      const answer = await fetch(`${url}${path}`, request).catch((error: unknown) => {
        const advice = `A node has the store, but nobody answers at ${url}: set HOST and PORT as it has them.`;
        throw new NodeUnreachable(advice, { cause: error });
      });
      if (answer.status === 401) {
        throw new NodeUnreachable('The node does not know this AUTH_SECRET: set it as the node has it.');
      }
      return { status: answer.status, text: await answer.text() };
    },
  };
}

function secretOf({ AUTH_SECRET, DATA_DIR }: Config): string {
  if (AUTH_SECRET !== undefined) return AUTH_SECRET;
  if (existsSync(join(DATA_DIR, AUTH_SECRET_FILE))) return developmentSecret(DATA_DIR);
  throw new NodeUnreachable('A node has the store; to ask it, set AUTH_SECRET as the node has it.');
}
