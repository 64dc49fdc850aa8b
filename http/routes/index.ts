/** Every route there is, in one place: the router and the description are made of this list. */
import type { Route } from '../route.ts';
import { actorRoutes } from './admin/actors.ts';
import { backupRoutes } from './admin/backups.ts';
import { check } from './admin/check.ts';
import { clusterRoutes } from './admin/cluster.ts';
import { dashboardRoutes } from './admin/dashboards.ts';
import { deadLetterRoutes } from './admin/deadLetters.ts';
import { addNote } from './admin/notes.ts';
import { adminOrderRoutes } from './admin/orders.ts';
import { paymentRoutes } from './admin/payments.ts';
import { adminProductRoutes } from './admin/products.ts';
import { advanceClock, killActor, quarantineRoutes } from './admin/runtime.ts';
import { listSagas } from './admin/sagaList.ts';
import { sagaRoutes } from './admin/sagas.ts';
import { shipmentRoutes } from './admin/shipments.ts';
import { staffRoutes } from './admin/staff.ts';
import { getStatistics } from './admin/statistics.ts';
import { stockRoutes } from './admin/stock.ts';
import { chooseBackorder } from './backorderChoice.ts';
import { cartRoutes } from './carts.ts';
import { checkoutRoutes } from './checkouts.ts';
import { docsRoutes } from './docs.ts';
import { eventRoutes } from './events.ts';
import { meRoutes } from './me.ts';
import { payAnew } from './orderPayment.ts';
import { orderRoutes } from './orders.ts';
import { productRoutes } from './products.ts';
import { sessionRoutes } from './sessions.ts';
import { simulatorRoutes } from './simulator.ts';
import { systemRoutes } from './system.ts';

const VERSION = '0.1.0';

export type Features = {
  readonly virtualClock: boolean;
  readonly chaos: boolean;
  readonly simulatedPayment: boolean;
};

export function allRoutes({ virtualClock, chaos, simulatedPayment }: Features): readonly Route[] {
  const routes = [
    ...sessionRoutes,
    ...productRoutes,
    ...cartRoutes,
    ...checkoutRoutes,
    ...orderRoutes,
    payAnew,
    chooseBackorder,
    ...meRoutes,
    ...eventRoutes,
    ...adminProductRoutes,
    ...stockRoutes,
    ...shipmentRoutes,
    ...adminOrderRoutes,
    listSagas,
    ...sagaRoutes,
    addNote,
    getStatistics,
    ...actorRoutes,
    ...staffRoutes,
    ...backupRoutes,
    ...deadLetterRoutes,
    ...quarantineRoutes,
    ...clusterRoutes,
    check,
    ...paymentRoutes,
    ...dashboardRoutes,
    ...(simulatedPayment ? simulatorRoutes : []),
    ...(virtualClock ? [advanceClock] : []),
    ...(chaos ? [killActor] : []),
    ...systemRoutes,
  ];
  return [...routes, ...docsRoutes(routes, VERSION)];
}
