/**
 * Judges a shop by what its clients were told. Knows nothing of the product but the words of its public interface, so that
 * a mistake of the product is not repeated here; simulations, chaos and load are judged alike.
 */
import { type AnswerOptions, checkAnswers } from './checks/answers.ts';
import { checkForeign } from './checks/foreign.ts';
import { checkMoney } from './checks/money.ts';
import { checkOrders } from './checks/orders.ts';
import { checkStock } from './checks/stock.ts';
import { checkVersions } from './checks/versions.ts';
import type { History } from './exchange.ts';
import { factsOf, isAcknowledged } from './facts.ts';
import { type Violation, violation } from './violation.ts';

export type Verdict = {
  readonly violations: readonly Violation[];
  /** How much there was to judge: a history without orders or reads proves nothing. */
  readonly covered: {
    readonly exchanges: number;
    readonly unanswered: number;
    /** Acknowledged. */
    readonly orders: number;
    readonly cancellations: number;
    readonly reads: number;
    readonly lists: number;
    readonly timelines: number;
    readonly stockReads: number;
  };
};

export function checkHistory(history: History, options: AnswerOptions = {}): Verdict {
  const facts = factsOf(history);
  const orders = new Set(facts.placings.flatMap(({ order }) => (order ? [order.id] : [])));
  return {
    violations: [
      ...checkOrders(history, facts),
      ...checkVersions(history, facts),
      ...checkMoney(history, facts),
      ...checkStock(history, facts),
      ...checkAnswers(history, facts, options),
      ...checkForeign(history, facts),
      ...(history.exchanges.some(isAcknowledged) ? [] : [violation('history.empty', 'nobody was told anything')]),
    ],
    covered: {
      exchanges: history.exchanges.length,
      unanswered: history.exchanges.filter(({ status }) => status === 0).length,
      orders: orders.size,
      cancellations: facts.cancellations.length,
      reads: facts.looks.length,
      lists: facts.lists.length,
      timelines: facts.timelines.length,
      stockReads: facts.stockReads.length,
    },
  };
}
