/**
 * A tiny shop for tests of the runtime: wallets that pay each other, with limits, timers and every kind of bug. Money
 * only moves, so the sum over all wallets shows a lost or doubled message at once.
 */
import type { Address } from '../../actors/kernel/address.ts';
import { type Decider, reject, type Versioned } from '../../actors/kernel/decider.ts';
import type { Policy } from '../../actors/policy.ts';
import type { AnyDecider } from '../../supervisors/memory.ts';

export type WalletState = { readonly balance: number; readonly log: readonly string[] };
export type WalletEvent = Versioned & { readonly amount: number };
export type WalletCommand =
  | { readonly type: 'Deposit'; readonly amount: number }
  | { readonly type: 'Pay'; readonly to: string; readonly amount: number }
  | { readonly type: 'Receive'; readonly amount: number }
  | { readonly type: 'PayLater'; readonly at: number; readonly amount: number }
  | { readonly type: 'Forget' }
  | { readonly type: 'CallOut' }
  | { readonly type: 'Answer'; readonly amount: number }
  | { readonly type: 'Explode' }
  | { readonly type: 'SendBomb'; readonly to: string };

export const wallet = (id: string): Address<'wallet'> => ({ type: 'wallet', id });

const deposited = (amount: number): WalletEvent => ({ type: 'Changed', v: 1, amount });

export const walletDecider: Decider<WalletState, WalletCommand, WalletEvent, Policy> = {
  type: 'wallet',
  // `a.1` and `a.2` share a shard, as an order and its payment do.
  partitionKey: (id) => id.split('.')[0] ?? id,
  initial: () => ({ balance: 0, log: [] }),
  evolve: (state, event) => ({ balance: state.balance + event.amount, log: [...state.log.slice(-4), event.type] }),
  decide(state, command, { now }) {
    switch (command.type) {
      case 'Deposit':
      case 'Receive':
      case 'Answer':
        return { events: [deposited(command.amount)], reply: { balance: state.balance + command.amount } };
      case 'Pay':
        if (state.balance < command.amount) return reject(422, 'wallet.poor', 'Too poor', 'Not enough in the wallet.');
        return {
          events: [deposited(-command.amount)],
          sends: [{ to: wallet(command.to), message: { type: 'Receive', amount: command.amount } as WalletCommand }],
          reply: { balance: state.balance - command.amount },
        };
      case 'PayLater':
        return {
          events: [deposited(0)],
          timers: [
            { set: 'later', at: command.at, message: { type: 'Receive', amount: command.amount } as WalletCommand },
          ],
          reply: { now },
        };
      case 'Forget':
        return { events: [deposited(0)], timers: [{ clear: 'later' }] };
      case 'CallOut':
        return { events: [], sends: [{ to: { type: 'gateway', id: 'bank' }, message: { type: 'Withdraw' } }] };
      case 'Explode':
        throw new Error('boom');
      case 'SendBomb':
        return { events: [], sends: [{ to: wallet(command.to), message: { type: 'Explode' } }] };
    }
  },
};

export const wallets: Readonly<Record<string, AnyDecider>> = { wallet: walletDecider as unknown as AnyDecider };
