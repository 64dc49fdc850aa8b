import type { AddressVerdict } from '../../actors/shared.ts';

/** What to tell somebody about an address that nothing speaks for: it is taken all the same. */
export function addressWarnings(check: AddressVerdict | undefined) {
  switch (check?.status) {
    case 'undeliverable':
      return [{ code: 'address.undeliverable', detail: `Mail may not get there: ${check.reason}.` }];
    case 'corrected':
      return [
        {
          code: 'address.correction-suggested',
          detail: `Did you mean ${check.suggestion.line1}, ${check.suggestion.city}?`,
        },
      ];
    case 'unchecked':
      return [{ code: 'address.unchecked', detail: 'The address could not be checked.' }];
    default:
      return [];
  }
}
