import { z } from 'zod';
import { warningSchema } from './cart.ts';
import {
  addressSchema,
  moneySchema,
  nullableAddressCheckSchema,
  paymentTokenSchema,
  shippingMethodSchema,
  timeSchema,
  totalsSchema,
  versionSchema,
} from './common.ts';
import { deliverySchema } from './customer.ts';

const checkoutLineSchema = z.strictObject({
  sku: z.string(),
  name: z.string(),
  quantity: z.int(),
  unitPrice: moneySchema,
  total: moneySchema,
});

export const checkoutSchema = z
  .strictObject({
    id: z.string(),
    cartId: z.string(),
    status: z.enum(['open', 'completed', 'expired']),
    step: z
      .union([z.enum(['address', 'shipping-method', 'payment', 'complete']), z.null()])
      .meta({ description: 'What comes next; null when it is over.' }),
    lines: z.array(checkoutLineSchema),
    priceChanges: z.array(z.strictObject({ sku: z.string(), old: moneySchema, new: moneySchema })),
    totals: totalsSchema,
    address: z.union([addressSchema, z.null()]),
    addressCheck: nullableAddressCheckSchema,
    billingAddress: z.union([addressSchema, z.null()]),
    shippingMethod: z.union([shippingMethodSchema, z.null()]),
    warnings: z.array(warningSchema),
    expiresAt: timeSchema,
    orderId: z.string().optional(),
    version: versionSchema,
  })
  .meta({ id: 'Checkout' });

export const shippingOptionSchema = z
  .strictObject({ method: shippingMethodSchema, price: moneySchema, minDays: z.int(), maxDays: z.int() })
  .meta({ id: 'ShippingOption' });

export const shippingMethodsSchema = z
  .strictObject({ data: z.array(shippingOptionSchema) })
  .meta({ id: 'ShippingMethods' });

export const setMethodSchema = z.strictObject({ method: shippingMethodSchema }).meta({ id: 'SetShippingMethod' });
export const setPaymentSchema = z
  .strictObject({ token: paymentTokenSchema, billingAddress: deliverySchema.optional() })
  .meta({ id: 'SetPayment' });
export const completeSchema = z
  .strictObject({ acceptPriceChanges: z.boolean().default(false) })
  .meta({ id: 'CompleteCheckout' });
