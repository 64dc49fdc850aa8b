/** How the demo writes what it shows. */
import type { Printer } from './printer.ts';
import type { Buckets, Money, Timeline } from './shop.ts';

export function price({ amount, currency }: Money): string {
  return `${(amount / 100).toFixed(2)} ${currency}`;
}

const moment = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  weekday: 'short',
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

export function printTimeline(print: Printer, { data }: Timeline): void {
  print.table(
    data.map(({ at, title, amount, carrier, trackingNumber }) => [
      moment.format(new Date(at)),
      title,
      [amount && price(amount), carrier, trackingNumber].filter((part) => part !== undefined).join(', '),
    ]),
  );
}

const BUCKETS = ['available', 'reserved', 'committed', 'picked', 'shipped'] as const;

export function printStock(print: Printer, rows: readonly (readonly [when: string, stock: Buckets])[]): void {
  print.table([
    ['', ...BUCKETS],
    ...rows.map(([when, stock]) => [when, ...BUCKETS.map((bucket) => String(stock[bucket]))]),
  ]);
}
