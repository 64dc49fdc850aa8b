/** Whether a connection to the broker is up, so that nothing is sent into the void and nobody waits for a lost answer. */
import type { NatsConnection } from 'nats';

export interface Link {
  readonly up: boolean;
  /** Resolves once the connection is up: false when it was closed for good instead. */
  whenUp(): Promise<boolean>;
  /** Calls back once, when the connection is lost or closed; returns a function that takes it back. */
  onceDown(task: () => void): () => void;
}

const links = new WeakMap<NatsConnection, Link>();

/** One per connection. */
export function linkOf(connection: NatsConnection): Link {
  const known = links.get(connection);
  if (known) return known;
  const link = watch(connection);
  links.set(connection, link);
  return link;
}

function watch(connection: NatsConnection): Link {
  const whenDown = new Set<() => void>();
  let waiting: ((up: boolean) => void)[] = [];
  let up = !connection.isClosed();

  function turn(nowUp: boolean): void {
    up = nowUp;
    if (up || connection.isClosed()) {
      const resolved = waiting;
      waiting = [];
      for (const resolve of resolved) resolve(up);
    }
    if (!up) {
      const tasks = [...whenDown];
      whenDown.clear();
      for (const task of tasks) task();
    }
  }

  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') turn(false);
      if (type === 'reconnect') turn(true);
    }
  })();
  void connection.closed().then(() => turn(false));

  return {
    get up() {
      return up;
    },
    whenUp() {
      if (up) return Promise.resolve(true);
      if (connection.isClosed()) return Promise.resolve(false);
      return new Promise((resolve) => waiting.push(resolve));
    },
    onceDown(task) {
      whenDown.add(task);
      return () => whenDown.delete(task);
    },
  };
}
