/** The load generator's client: plain node:http over kept-alive connections, because fetch would use up the CPU. */
import { Agent, request } from 'node:http';

export type SendOptions = {
  readonly token?: string;
  /** Idempotency-Key. */
  readonly key?: string;
  /** `Prefer: wait=N`, in seconds. */
  readonly wait?: number;
  readonly body?: unknown;
};

export type Answer = { readonly status: number; readonly body: unknown };

export type Http = {
  /** Rejects when the connection fails. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  close(): void;
};

export function createHttp(url: string, maxConnections: number): Http {
  const agent = new Agent({ keepAlive: true, maxSockets: maxConnections });
  const { hostname, port } = new URL(url);
  return {
    send(method, path, { token, key, wait, body } = {}) {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(wait !== undefined && { prefer: `wait=${wait}` }),
        ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      };
      return new Promise((resolve, reject) => {
        const outgoing = request({ agent, hostname, port, method, path, headers }, (response) => {
          let answer = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            answer += chunk;
          });
          response.on('error', reject);
          response.on('end', () => {
            const json = answer !== '' && String(response.headers['content-type']).includes('json');
            resolve({ status: response.statusCode ?? 0, body: json ? JSON.parse(answer) : answer });
          });
        });
        outgoing.on('error', reject);
        outgoing.end(text);
      });
    },
    close: () => agent.destroy(),
  };
}

/** Each request to the next of them. */
export function inTurn(https: readonly Http[]): Http {
  let requests = 0;
  return {
    send(...request) {
      const next = https[requests++ % https.length];
      if (!next) throw new Error('there is nobody to send to');
      return next.send(...request);
    },
    close() {
      for (const http of https) http.close();
    },
  };
}
