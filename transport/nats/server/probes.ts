/** Looks at a broker from outside. */
import { connect } from 'node:net';

/** For one look at a broker that may be paused. */
const TIMEOUT_MS = 1_000;
const INFO_MAX_CHARACTERS = 64 * 1024;

/** It takes connections there, and it is this broker, not another one that was faster on the port. */
export function takesConnections(port: number, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const done = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(TIMEOUT_MS, () => done(false));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (/^INFO .*\r\n/.test(text)) done(text.includes(`"server_name":${JSON.stringify(name)}`));
      else if (text.length > INFO_MAX_CHARACTERS) done(false);
    });
  });
}

/** JetStream is up and, in a group, knows its leader. */
export async function isHealthy(monitorPort: number): Promise<boolean> {
  const url = `http://127.0.0.1:${monitorPort}/healthz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}

/** The leader of the group's names for all that it counts to the group, itself included; nothing from any other broker. */
export async function membersOf(monitorPort: number): Promise<readonly string[]> {
  const url = `http://127.0.0.1:${monitorPort}/jsz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { meta_cluster: group } = (await response.json()) as {
      readonly meta_cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly name: string }[] };
    };
    // Only the leader knows of replicas.
    if (group?.leader === undefined || group.replicas === undefined) return [];
    return [group.leader, ...group.replicas.map(({ name }) => name)];
  } catch {
    return [];
  }
}
