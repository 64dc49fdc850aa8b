/** The figures of the shop, decided in one place. Every decider gets them through its context; the defaults are the shop's. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type ShippingMethod = 'standard' | 'express' | 'overnight';

/** A stock location and the regions it ships to, nearest first. */
export type Warehouse = {
  readonly id: string;
  readonly name: string;
  readonly country: string;
  readonly region: string;
};

export type Policy = {
  readonly currency: string;
  readonly cart: {
    readonly maxSkus: number;
    readonly maxQuantity: number;
    readonly priceFreezeMs: number;
    readonly guestExpiryMs: number;
    /** How many guests' carts one cart takes over. */
    readonly maxMerges: number;
  };
  readonly catalog: {
    /** Where the second and each further price range of the search's facets starts, in minor units, ascending. */
    readonly priceRanges: readonly number[];
    /** How long anything of the catalog is remembered; changes are noticed at once. */
    readonly cacheMs: number;
  };
  /** How old the shop's numbers may be. */
  readonly statistics: { readonly cacheMs: number };
  readonly checkout: { readonly expiryMs: number };
  readonly customer: {
    /** How long a new e-mail address is kept for a registration that has not finished. */
    readonly emailHoldMs: number;
    readonly maxAddresses: number;
  };
  /** Price in minor units and promised days of each shipping method. */
  readonly shipping: Readonly<
    Record<ShippingMethod, { readonly price: number; readonly minDays: number; readonly maxDays: number }>
  >;
  readonly saga: {
    /** Started → Confirmed, else OnHold. */
    readonly timeoutMs: number;
    readonly stepTimeoutMs: {
      readonly reserve: number;
      readonly authorize: number;
      readonly commit: number;
      readonly capture: number;
      readonly ship: number;
    };
    /** How often a step whose outcome is unknown is asked again before it counts as failed. */
    readonly stepAttempts: { readonly stock: number; readonly payment: number; readonly shipment: number };
    readonly compensationTimeoutMs: number;
    readonly compensationAttempts: number;
    readonly reviewMs: number;
    /** How long a customer whose payment was declined may give another payment method. */
    readonly paymentMethodMs: number;
  };
  /** Which orders wait for an operator before they are captured; `null` switches a rule off. Amounts in minor units. */
  readonly review: {
    readonly totalAbove: number | null;
    /** Of a customer who has never paid an order. */
    readonly firstOrderAbove: number | null;
    /** More orders than this from one network address within the window. */
    readonly ordersPerAddress: number | null;
    readonly addressWindowMs: number;
    /** Billing and shipping country differ. */
    readonly countryMismatch: boolean;
  };
  readonly order: { readonly customerCancelMs: number; readonly returnWindowMs: number };
  readonly stock: { readonly reservationMs: number; readonly lowStockThreshold: number; readonly tombstones: number };
  readonly backorder: {
    /** A delivery that is farther away is asked about: wait or cancel. And how long the customer may think about it. */
    readonly choiceAfterMs: number;
    readonly choiceMs: number;
    /** How long after the delivery should have come an operator sees the order. */
    readonly patienceMs: number;
    /** How long a waiting order keeps what has come for it, while other lines are still missing. */
    readonly holdMs: number;
    /** Orders that wait for one item in one warehouse; more are refused, as without an expected delivery. */
    readonly maxWaiting: number;
  };
  /** Money in minor units. */
  readonly routing: {
    /** What a parcel costs from a warehouse in the customer's region, in the country, and from abroad. */
    readonly parcelCosts: readonly [number, number, number];
    /** An order that one warehouse has is split only if that saves so much. */
    readonly splitSaving: number;
  };
  readonly payment: {
    readonly authorizationMs: number;
    /** An authorization that nobody captured is voided this long before it would expire. */
    readonly voidBeforeExpiryMs: number;
    /** How often an unknown outcome is asked for, and how long between. */
    readonly enquiries: number;
    readonly enquiryDelayMs: number;
    /**
     * How often a call that was surely not executed is repeated: 5, 15 and 45 s apart, then a minute each. Together they
     * outlast a breaker that opens again and again, and stay within the time of the whole saga.
     */
    readonly repeats: number;
    readonly maxRepeatDelayMs: number;
    readonly refundRetries: number;
    readonly refundRetryDelayMs: number;
    /** Within this 95 % of the refunds are to be done; one that takes longer is noted. */
    readonly refundTargetMs: number;
  };
  readonly shipment: { readonly ghostMs: number; readonly lostMs: number; readonly maxDeliveryAttempts: number };
  readonly alerts: {
    /** More dead letters than this for 5 minutes. */
    readonly deadLetters: number;
  };
  readonly warehouses: readonly Warehouse[];
};

export const defaultPolicy: Policy = {
  currency: 'USD',
  cart: { maxSkus: 100, maxQuantity: 999, priceFreezeMs: HOUR, guestExpiryMs: DAY, maxMerges: 100 },
  catalog: { priceRanges: [1_000, 2_500, 5_000, 10_000, 25_000], cacheMs: HOUR },
  statistics: { cacheMs: 5 * MINUTE },
  checkout: { expiryMs: 15 * MINUTE },
  customer: { emailHoldMs: 10 * MINUTE, maxAddresses: 50 },
  shipping: {
    standard: { price: 599, minDays: 5, maxDays: 7 },
    express: { price: 1299, minDays: 2, maxDays: 3 },
    overnight: { price: 2499, minDays: 1, maxDays: 1 },
  },
  saga: {
    timeoutMs: 5 * MINUTE,
    stepTimeoutMs: {
      reserve: 10 * SECOND,
      authorize: 100 * SECOND,
      commit: 10 * SECOND,
      capture: 100 * SECOND,
      ship: 60 * SECOND,
    },
    stepAttempts: { stock: 5, payment: 3, shipment: 3 },
    compensationTimeoutMs: 100 * SECOND,
    compensationAttempts: 5,
    reviewMs: HOUR,
    paymentMethodMs: DAY,
  },
  review: {
    totalAbove: 50_000,
    firstOrderAbove: 20_000,
    ordersPerAddress: 10,
    addressWindowMs: HOUR,
    countryMismatch: true,
  },
  order: { customerCancelMs: 2 * HOUR, returnWindowMs: 30 * DAY },
  stock: { reservationMs: 30 * MINUTE, lowStockThreshold: 10, tombstones: 1_000 },
  backorder: { choiceAfterMs: 7 * DAY, choiceMs: DAY, patienceMs: 2 * DAY, holdMs: 30 * DAY, maxWaiting: 1_000 },
  routing: { parcelCosts: [400, 600, 1_500], splitSaving: 200 },
  payment: {
    authorizationMs: 7 * DAY,
    voidBeforeExpiryMs: HOUR,
    enquiries: 3,
    enquiryDelayMs: 5 * SECOND,
    repeats: 6,
    maxRepeatDelayMs: MINUTE,
    refundRetries: 3,
    refundRetryDelayMs: 30 * SECOND,
    refundTargetMs: 5 * MINUTE,
  },
  shipment: { ghostMs: DAY, lostMs: 7 * DAY, maxDeliveryAttempts: 3 },
  alerts: { deadLetters: 100 },
  warehouses: [
    { id: 'wh-east', name: 'Newark', country: 'US', region: 'NJ' },
    { id: 'wh-central', name: 'Columbus', country: 'US', region: 'OH' },
    { id: 'wh-west', name: 'Reno', country: 'US', region: 'NV' },
  ],
};
