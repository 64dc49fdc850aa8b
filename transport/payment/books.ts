/** The simulated vendor's books as any vendor would open them: by order and operation, without what the simulator needs. */
import type { PaymentBooks, VendorAccount, VendorOperation } from '../../actors/gateways.ts';
import { compare } from '../../actors/kernel/money.ts';
import { type Authorization, amountsOf, type LedgerEntry, type SimulatorLedger } from './ledger.ts';

const PAGE = 256;
/** Sorts after everything that a key of one order goes on with. */
const LAST = '\u{10ffff}';

/** Keys begin with their order's id and a slash, so the ledger lies in the order of its accounts. */
export function createSimulatorBooks(
  ledger: Pick<SimulatorLedger, 'after' | 'change'>,
  now: () => number,
): PaymentBooks {
  async function* entriesAfter(key: string): AsyncGenerator<LedgerEntry> {
    for (let from = key; ; ) {
      const page = await ledger.after(from, PAGE);
      yield* page;
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return;
      from = last.key;
    }
  }

  async function* accountsAfter(key: string): AsyncGenerator<VendorAccount> {
    let account: { readonly orderId: string; readonly operations: VendorOperation[] } | undefined;
    for await (const entry of entriesAfter(key)) {
      if (entry.kind !== 'authorization') continue;
      const { orderId } = entry.request;
      if (account?.orderId !== orderId) {
        if (account) yield account;
        account = { orderId, operations: [] };
      }
      account.operations.push(...operationsOf(entry, now()));
    }
    if (account) yield account;
  }

  return {
    accounts({ after, limit }) {
      return first(limit, accountsAfter(after === undefined ? '' : `${after}/${LAST}`));
    },
    async account(orderId) {
      const authorizations = await ledger.change(orderId, (order) => order.authorizations());
      const operations = authorizations.flatMap((authorization) => operationsOf(authorization, now()));
      return operations.length === 0 ? undefined : { orderId, operations };
    },
  };
}

async function first<Item>(limit: number, items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) if (found.push(item) === limit) break;
  return found;
}

function operationsOf(authorization: Authorization, now: number): VendorOperation[] {
  const { key, request, followUps } = authorization;
  const { amount } = request;
  return [
    { kind: 'authorize', key, amount, state: stateOf(authorization, now) },
    ...followUps.flatMap((followUp): VendorOperation[] => {
      if (followUp.request.type === 'GatewayVoid') return [];
      const kind = followUp.request.type === 'GatewayCapture' ? 'capture' : 'refund';
      const { key: of, amount: asked } = followUp.request;
      const { outcome } = followUp;
      const done = outcome.outcome === 'captured' || outcome.outcome === 'refunded';
      return [{ kind, key: of, amount: done ? outcome.amount : asked, state: done ? 'done' : 'refused' }];
    }),
    ...(authorization.disputes ?? []).map(
      ({ id, amount: disputed, status }): VendorOperation => ({
        kind: 'dispute',
        key: id,
        amount: disputed,
        state: status,
      }),
    ),
  ];
}

function stateOf(authorization: Authorization, now: number): Extract<VendorOperation, { kind: 'authorize' }>['state'] {
  const { outcome, request } = authorization;
  if (outcome === undefined || outcome.outcome === 'requires-action') return 'pending';
  if (outcome.outcome !== 'authorized') return 'refused';
  const { captured, voided } = amountsOf(authorization);
  return voided || now >= outcome.expiresAt || compare(captured, request.amount) >= 0 ? 'closed' : 'held';
}
