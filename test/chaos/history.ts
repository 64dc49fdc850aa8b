/** What clients asked for and what they were told: all that the checker knows besides the shop's answers at the end. */

export type Line = { readonly sku: string; readonly quantity: number };

/** An order whose client has seen the answer. */
export type PlacedOrder = {
  readonly customer: string;
  readonly key: string;
  readonly lines: readonly Line[];
  /** Of the request, to repeat it. */
  readonly body: unknown;
  readonly orderId: string;
  /** The first answer that a client saw, as text. */
  readonly answer: string;
  readonly node: string;
};

/** A version that a client was shown. In the order in which that client saw them. */
export type Sighting = {
  readonly client: string;
  readonly of: string;
  readonly version: number;
  readonly node: string;
};

export type StockChange = { readonly sku: string; readonly kind: 'receive' | 'adjust'; readonly pieces: number };

/** One try of a request. Times in ms on the monotonic clock. */
export type Attempt = {
  readonly node: string;
  readonly from: number;
  readonly until: number;
  /** `ok` also for a refusal; else why it has to be tried again: a status with its code, or how the connection failed. */
  readonly outcome: string;
};

/** A request as its client feels it: from the first try to the answer. */
export type Request = {
  readonly kind: string;
  readonly from: number;
  readonly until: number;
  readonly tries: number;
};

export type History = {
  readonly placed: PlacedOrder[];
  /** Orders of which a client was told that they are cancelled. */
  readonly cancelled: Set<string>;
  readonly stock: StockChange[];
  readonly sightings: Sighting[];
  readonly attempts: Attempt[];
  readonly requests: Request[];
  /** Answers that nobody should ever get. */
  readonly surprises: string[];
};

export function createHistory(): History {
  return {
    placed: [],
    cancelled: new Set(),
    stock: [],
    sightings: [],
    attempts: [],
    requests: [],
    surprises: [],
  };
}
