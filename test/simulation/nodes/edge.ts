/** Requests to a node's edge without a socket: what the edge sees is a request that has arrived whole. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

export type Told = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
};

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

class Answer extends ServerResponse {
  readonly #chunks: Buffer[] = [];
  readonly #told: (told: Told) => void;

  constructor(request: IncomingMessage, told: (told: Told) => void) {
    super(request);
    this.#told = told;
  }

  override write(chunk: string | Uint8Array): boolean {
    this.#chunks.push(Buffer.from(chunk));
    return true;
  }

  override end(chunk?: unknown): this {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) this.#chunks.push(Buffer.from(chunk));
    super.end();
    this.#told({
      status: this.statusCode,
      headers: { ...this.getHeaders() },
      text: Buffer.concat(this.#chunks).toString(),
    });
    return this;
  }
}

/** Hands the request to the edge of the process that this is called in. */
export function request(handle: Handler, asked: Asked, told: (told: Told) => void): void {
  const { method, path, token, key, headers = {}, body } = asked;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const given: Record<string, string> = {
    host: 'simulated',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(key !== undefined && { 'idempotency-key': key }),
    ...(text !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
    }),
    ...headers,
  };
  const incoming = Object.assign(Readable.from(text === undefined ? [] : [Buffer.from(text)]), {
    method,
    url: path,
    headers: given,
    rawHeaders: Object.entries(given).flat(),
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    socket: { remoteAddress: '10.0.0.1', writable: true, encrypted: false },
    connection: {},
    complete: true,
  }) as unknown as IncomingMessage;
  void handle(incoming, new Answer(incoming, told));
}
