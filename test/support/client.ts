/** A client of the public HTTP interface, as thin as can be: tests see status, headers and body as they come. */
import { checkAnswer } from './conformance.ts';
import { OPERATOR } from './server.ts';

export type Answer<Body = Record<string, unknown>> = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
};

export type CallOptions = {
  readonly token?: string | undefined;
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

export type Client = {
  // biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the server says; tests assert on them
  call(method: string, path: string, options?: CallOptions): Promise<Answer<any>>;
  guest(): Promise<string>;
  staff(): Promise<string>;
};

export function createClient(url: string): Client {
  const call: Client['call'] = async (method, path, { token, key, headers = {}, body } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await textOf(response);
    const json = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    const answer = { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
    checkAnswer(method, path, answer.status, answer.body);
    return answer;
  };
  return {
    call,
    async guest() {
      const answer = await call('POST', '/v1/sessions/guest');
      return answer.body.token as string;
    },
    async staff() {
      const answer = await call('POST', '/v1/sessions', { body: OPERATOR });
      return answer.body.token as string;
    },
  };
}

/** Of a stream that goes on only what comes first. */
async function textOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text();
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return new TextDecoder().decode(first?.value);
}

export const ADDRESS = {
  name: 'Ada Lovelace',
  line1: '12 Analytical Way',
  city: 'Newark',
  region: 'NJ',
  postalCode: '07102',
  country: 'US',
};

export function expressOrder(lines: readonly { sku: string; quantity: number }[], token = 'tok_success') {
  return { lines, address: ADDRESS, shippingMethod: 'standard', payment: { token } };
}
