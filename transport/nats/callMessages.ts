/** What a call and its answer look like between two nodes, which may be of different versions. */
import { CallFailed } from '../../actors/kernel/clusterPorts.ts';
import { isObject } from './envelopes.ts';

/** `call` is the asker's number of the call; the answer repeats it. `within` is in ms. */
export type Call = { readonly call: number; readonly within: number; readonly body?: unknown };

export type AnswerCall =
  | { readonly call: number; readonly body?: unknown }
  | { readonly call: number; readonly error: { readonly message: string; readonly retryable: boolean } };

/** Undefined when it isn't one. */
export function parseCall(text: string): Call | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const { call, within, body } = value as Partial<Call>;
  return typeof call === 'number' && typeof within === 'number' ? { call, within, body } : undefined;
}

/** @throws CallFailed when it isn't one */
export function parseAnswer(text: string): AnswerCall {
  const value = parseJson(text);
  if (!isObject(value) || typeof value['call'] !== 'number') throw new CallFailed('the answer is none');
  const { call, error, body } = value as { call: number; error?: unknown; body?: unknown };
  if (error === undefined) return { call, body };
  const { message, retryable } = isObject(error) ? error : {};
  return { call, error: { message: String(message), retryable: retryable === true } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
