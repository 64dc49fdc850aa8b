/** The read models that follow the log with the other tables: lists that nobody needs before he looks. */
import type { Db } from '../storage/database.ts';
import type { Projection } from '../storage/projection.ts';
import { createCustomerOrders } from '../storage/projections/customerOrders.ts';
import { ordersModel } from '../storage/projections/orders.ts';
import { sagasModel } from '../storage/projections/sagas.ts';
import { createStaff } from '../storage/projections/staff.ts';
import { type Filling, openReadModels, type ReadModel } from '../storage/readModels.ts';

/** Those of the operators, which are filled from the log where they are missing. */
export const OPERATORS_READ_MODELS: readonly ReadModel[] = [ordersModel, sagasModel];

export function openFollowers(db: Db, filling: Filling): readonly Projection[] {
  return [createCustomerOrders(db), createStaff(db), ...openReadModels(db, OPERATORS_READ_MODELS, filling)];
}
