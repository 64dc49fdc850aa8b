/** What the edge keeps about a request while it is under way (`ctx.state`). */
import type { ClientAddress } from './clientAddress.ts';
import type { Trace } from './headers.ts';

export type EdgeState = {
  trace: Trace;
  /** The client's own, or the trace id. */
  requestId: string;
  client: ClientAddress;
  /** Path pattern of the route that matched, for metrics and logs. */
  route: string;
  orderId?: string;
};
