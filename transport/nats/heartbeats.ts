/** Heartbeats as JSON. Members that a newer version added are passed over. */
import type { Heartbeat, ShardStanding } from '../../actors/kernel/clusterPorts.ts';
import { isObject } from './envelopes.ts';

const STATES: readonly unknown[] = ['joining', 'active', 'draining'] satisfies Heartbeat['state'][];

/** Undefined when it isn't one. */
export function parseHeartbeat(json: string): Heartbeat | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  return isHeartbeat(value) ? value : undefined;
}

function isHeartbeat(value: unknown): value is Heartbeat {
  return (
    isObject(value) &&
    ['node', 'incarnation', 'version', 'address'].every((member) => typeof value[member] === 'string') &&
    STATES.includes(value['state']) &&
    Array.isArray(value['shards']) &&
    value['shards'].every(isStanding)
  );
}

function isStanding(value: unknown): value is ShardStanding {
  return (
    isObject(value) &&
    isWholeNumber(value['shard']) &&
    isWholeNumber(value['position']) &&
    (value['epoch'] === undefined || isWholeNumber(value['epoch']))
  );
}

const isWholeNumber = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
