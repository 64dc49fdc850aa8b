/** Staff accounts: what they may do, and whether they may do anything. Each change says who made it and why. */
import type { ActiveCustomer, CustomerEvent, CustomerSend } from '../customer.ts';
import { assertNever } from '../kernel/assertNever.ts';
import { type Decision, noChange, reject } from '../kernel/decider.ts';

/** From a colleague, never from oneself: whoever may change staff can't lock everybody out alone. */
export type StaffCommand = { readonly by: string; readonly why: string } & (
  | { readonly type: 'ChangeScopes'; readonly scopes: readonly string[] }
  | { readonly type: 'DisableAccount' }
  | { readonly type: 'EnableAccount' }
);

export type StaffEvent = { readonly v: 1; readonly by: string; readonly why: string } & (
  | { readonly type: 'ScopesChanged'; readonly scopes: readonly string[] }
  /** All its tokens end. */
  | { readonly type: 'AccountDisabled' }
  | { readonly type: 'AccountEnabled' }
);

type StaffDecision = Decision<CustomerEvent, CustomerSend>;

export function changeStaff(account: ActiveCustomer, command: StaffCommand): StaffDecision {
  const { by, why } = command;
  if (account.role !== 'staff') return reject(404, 'staff.unknown', 'Unknown staff', 'This account is not staff.');
  if (by === account.id) {
    return reject(409, 'staff.own-account', 'Your own account', 'Ask a colleague to change what you may do.');
  }
  switch (command.type) {
    case 'ChangeScopes': {
      const scopes = [...new Set(command.scopes)].sort();
      const same = JSON.stringify(scopes) === JSON.stringify([...account.scopes].sort());
      return same ? noChange : { events: [{ type: 'ScopesChanged', v: 1, scopes, by, why }] };
    }
    case 'DisableAccount':
      return account.enabled ? { events: [{ type: 'AccountDisabled', v: 1, by, why }] } : noChange;
    case 'EnableAccount':
      return account.enabled ? noChange : { events: [{ type: 'AccountEnabled', v: 1, by, why }] };
    default:
      return assertNever(command);
  }
}

export function evolveStaff(account: ActiveCustomer, event: StaffEvent): ActiveCustomer {
  switch (event.type) {
    case 'ScopesChanged':
      return { ...account, scopes: event.scopes };
    case 'AccountDisabled':
      return { ...account, enabled: false, session: account.session + 1 };
    case 'AccountEnabled':
      return { ...account, enabled: true };
    default:
      return assertNever(event);
  }
}
