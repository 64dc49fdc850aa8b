/** Listens to server-sent events as the standard says (WHATWG HTML, section 9.2.6): what a browser's EventSource would do. */
import { type IncomingMessage, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { checkAnswer } from './conformance.ts';
import { eventually } from './eventually.ts';

export type Heard = {
  readonly event: string;
  /** The newest id when it came. */
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests assert on it
  readonly data: any;
};

export type Listener = {
  readonly heard: readonly Heard[];
  /** What a client that comes back sends: also moved on by heartbeats. */
  readonly lastId: string;
  readonly comments: readonly string[];
  readonly retryMs: number | undefined;
  /** Waits until this holds of what was heard. */
  until(what: string, holds: (heard: readonly Heard[]) => boolean): Promise<void>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
};

export type ListenOptions = { readonly token: string; readonly after?: string };

/** @throws when it is refused */
export async function listen(url: string, { token, after }: ListenOptions): Promise<Listener> {
  const response = await opened(url, {
    authorization: `Bearer ${token}`,
    ...(after !== undefined && { 'last-event-id': after }),
  });
  const status = response.statusCode ?? 0;
  if (status !== 200) {
    const body = JSON.parse(await textOf(response));
    checkAnswer('GET', '/v1/events', status, body);
    throw new Error(`${status} ${body.code}`);
  }
  checkAnswer('GET', '/v1/events', status, '');
  const heard: Heard[] = [];
  const comments: string[] = [];
  let lastId = after ?? '';
  let retryMs: number | undefined;

  function dispatch(block: string): void {
    let event = 'message';
    const data: string[] = [];
    for (const line of block.split('\n')) {
      const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === '') comments.push(value);
      else if (field === 'id') lastId = value;
      else if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
      else if (field === 'retry') retryMs = Number(value);
    }
    if (data.length > 0) heard.push({ event, id: lastId, data: JSON.parse(data.join('\n')) });
  }

  async function read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response) {
      text += decoder.decode(chunk as Buffer, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      blocks.forEach(dispatch);
    }
  }

  return {
    heard,
    comments,
    get lastId() {
      return lastId;
    },
    get retryMs() {
      return retryMs;
    },
    until: (what, holds) => eventually(what, () => holds(heard)),
    // However it ends: by the server, or by a connection that breaks.
    ended: read().catch(() => {}),
    close: () => response.destroy(),
  };
}

/** On a connection of its own, which goes with it. */
function opened(url: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  return new Promise((resolve, refuse) => {
    request(`${url}/v1/events`, { headers, agent: false }, resolve).on('error', refuse).end();
  });
}
