/** Answers: the same request gets the same one, from any node and at any time; none is a failure of the shop itself. */

import type { Exchange, History } from '../exchange.ts';
import { type Facts, isAcknowledged, isRefused, requestOf } from '../facts.ts';
import { groupBy } from '../groups.ts';
import { type Violation, violation } from '../violation.ts';

const TOO_MANY = 429;
const UNAVAILABLE = 503;
const SHOWN = 200;
const CHECK = '/v1/admin/check';
const RECONCILIATION = '/v1/admin/payments/reconciliation';

export type AnswerOptions = {
  /** Codes of the refusals that the clients count on; without them any refusal will do. */
  readonly refusals?: readonly string[];
};

export function checkAnswers(history: History, facts: Facts, { refusals }: AnswerOptions): Violation[] {
  const keyed = history.exchanges.filter(({ key, method }) => key !== undefined && method !== 'GET');
  return [
    ...[...groupBy(keyed, requestOf).values()].flatMap(repeated),
    ...history.exchanges.flatMap((exchange) => surprising(exchange, refusals)),
    ...facts.unreadable.map((exchange) => about('answer.unreadable', exchange, exchange.text.slice(0, SHOWN))),
    ...complaints(history),
  ];
}

function about(code: string, { client, node, method, path, status }: Exchange, what: string): Violation {
  return violation(code, `${client} at ${node}, ${method} ${path}, ${status}: ${what}`);
}

function repeated(tries: readonly Exchange[]): Violation[] {
  const acknowledged = tries.filter(isAcknowledged).toSorted((a, b) => a.until - b.until);
  const [first] = acknowledged;
  if (!first) return [];
  // Whoever waits for more is told more; that it is of the same order is seen with the orders.
  const plain = acknowledged.find(({ wait }) => wait === undefined);
  const asked = JSON.stringify(first.body);
  return tries.flatMap((each) => {
    if (each === first) return [];
    const same = JSON.stringify(each.body) === asked;
    if (isAcknowledged(each)) {
      if (!same) return [about('answer.key-reused', each, 'a key was taken for another request')];
      if (!plain || each.wait !== undefined) return [];
      const differs = each.text !== plain.text || each.status !== plain.status;
      const what = `${each.text.slice(0, SHOWN)} instead of ${plain.text.slice(0, SHOWN)} by ${plain.node}`;
      return differs ? [about('answer.differs', each, what)] : [];
    }
    const forgotten = same && isRefused(each) && each.status !== TOO_MANY && each.from > first.until;
    return forgotten ? [about('answer.forgotten', each, `${first.node} has answered it before`)] : [];
  });
}

/** No client should ever get these. */
function surprising(exchange: Exchange, refusals: readonly string[] | undefined): Violation[] {
  const { status, text } = exchange;
  if (status >= 500 && status !== UNAVAILABLE) return [about('answer.failure', exchange, text.slice(0, SHOWN))];
  if (refusals === undefined || !isRefused(exchange) || status === TOO_MANY) return [];
  const code = /"code":"([^"]+)"/.exec(text)?.[1] ?? 'no code';
  return refusals.includes(code) ? [] : [about('answer.surprise', exchange, code)];
}

type Complaint = { readonly level?: string; readonly code: string };

/** What the shop finds wrong with itself once nothing is under way any more. */
function complaints({ exchanges, settledAt }: History): Violation[] {
  if (settledAt === undefined) return [];
  return exchanges.filter(isAcknowledged).flatMap((exchange) => {
    const [path] = exchange.path.split('?');
    if (exchange.from < settledAt || (path !== CHECK && path !== RECONCILIATION)) return [];
    const { findings, data } = JSON.parse(exchange.text) as Readonly<Record<string, readonly Complaint[] | undefined>>;
    const serious = (findings ?? data ?? []).filter(({ level }) => level !== 'info');
    return serious.map((each) => about('shop.complains', exchange, JSON.stringify(each)));
  });
}
