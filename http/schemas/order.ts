import { z } from 'zod';
import { quantitySchema, skuReferenceSchema, warningSchema } from './cart.ts';
import { shippingOptionSchema } from './checkout.ts';
import {
  addressSchema,
  listSchema,
  moneySchema,
  nullableAddressCheckSchema,
  paymentTokenSchema,
  shippingMethodSchema,
  text,
  timeSchema,
  totalsSchema,
  versionSchema,
} from './common.ts';
import { deliverySchema } from './customer.ts';

const MAX_LINES = 100;

export const orderStatusSchema = z
  .enum([
    'placed',
    'on-hold',
    'confirmed',
    'fulfilling',
    'backordered',
    'partially-shipped',
    'shipped',
    'partially-delivered',
    'delivered',
    'delivery-failed',
    'cancelling',
    'cancelled',
    'out-of-stock',
    'payment-failed',
    'refund-pending',
    'manual-review',
    'closed',
  ])
  .meta({ id: 'OrderStatus' });

export const awaitingSchema = z
  .enum(['review', 'operator', 'payment', 'payment-method', 'stock', 'backorder-choice'])
  .meta({
    id: 'Awaiting',
    description:
      'payment: the bank asks the customer to approve. payment-method: the customer is asked for another one. stock: a delivery is expected. backorder-choice: the customer is asked whether to wait for it.',
  });

const shipmentSchema = z
  .strictObject({
    id: z.string(),
    status: z.string(),
    lines: z.array(z.strictObject({ sku: z.string(), quantity: z.int() })),
    warehouse: z.string().optional(),
    carrier: z.string().optional(),
    trackingNumber: z.string().optional(),
    attempts: z.int(),
    deliveredAt: timeSchema.optional(),
    replaces: z
      .string()
      .optional()
      .meta({ description: 'Of a reshipment: the parcel whose goods it brings once more.' }),
    replacedBy: z.string().optional(),
    alert: z.enum(['label-failed', 'ghost', 'found']).optional().meta({
      description:
        'Staff should look: no label can be bought; the carrier has not scanned it for 24 h; lost, sent once more and turned up.',
    }),
  })
  .meta({ id: 'Shipment' });

const orderLineSchema = z.strictObject({
  sku: z.string(),
  name: z.string(),
  quantity: z.int(),
  unitPrice: moneySchema,
  discount: moneySchema,
  tax: moneySchema,
  total: moneySchema,
});

export const orderSchema = z
  .strictObject({
    id: z.string(),
    status: orderStatusSchema,
    awaiting: z.union([awaitingSchema, z.null()]),
    paymentRequest: z.union([
      z.strictObject({
        reason: z.string(),
        url: z.union([z.string(), z.null()]).meta({
          description: "The bank's page; or a path of this interface: PUT another payment method there.",
        }),
        expiresAt: z.union([timeSchema, z.null()]),
      }),
      z.null(),
    ]),
    backorder: z
      .union([
        z.strictObject({
          expectedAt: timeSchema,
          url: z.union([z.string(), z.null()]).meta({ description: 'POST there whether to wait, when that is asked.' }),
          expiresAt: z.union([timeSchema, z.null()]).meta({ description: 'Until when; then it is cancelled.' }),
        }),
        z.null(),
      ])
      .meta({ description: 'Set while it waits for a delivery.' }),
    cartId: z.union([z.string(), z.null()]),
    currency: z.string(),
    payment: z.strictObject({
      status: z.string(),
      authorized: moneySchema,
      captured: moneySchema,
      refunded: moneySchema.meta({ description: 'What went back, by refunds and by lost disputes.' }),
      chargedBack: moneySchema.optional().meta({ description: 'What of it was taken back by lost disputes.' }),
      openRefund: z
        .strictObject({
          amount: moneySchema,
          escalated: z.boolean().meta({ description: 'Some of it waits for the operator.' }),
        })
        .optional()
        .meta({ description: 'What is still to be paid back.' }),
    }),
    fulfillment: z.strictObject({ status: z.string(), shipments: z.array(shipmentSchema) }),
    lines: z.array(orderLineSchema),
    totals: totalsSchema,
    shippingMethod: shippingMethodSchema,
    address: addressSchema,
    billingAddress: z.union([addressSchema, z.null()]),
    addressCheck: nullableAddressCheckSchema,
    placedAt: timeSchema,
    deliveredAt: z.union([timeSchema, z.null()]),
    version: versionSchema,
  })
  .meta({ id: 'Order' });

export const orderRowSchema = z
  .strictObject({ id: z.string(), status: orderStatusSchema, total: moneySchema, placedAt: timeSchema })
  .meta({ id: 'OrderRow' });
export const orderListSchema = listSchema(orderRowSchema).meta({ id: 'OrderList' });

export const placeOrderSchema = z
  .strictObject({
    lines: z
      .array(z.strictObject({ sku: skuReferenceSchema, quantity: quantitySchema }))
      .min(1)
      .max(MAX_LINES),
    address: deliverySchema,
    shippingMethod: shippingMethodSchema,
    billingAddress: deliverySchema.optional(),
    payment: z.strictObject({ token: paymentTokenSchema }),
  })
  .meta({ id: 'PlaceOrder' });

/** Whoever asks what it would cost needn't know yet where it goes and how. */
export const draftOrderSchema = placeOrderSchema
  .partial({ address: true, shippingMethod: true, payment: true })
  .meta({ id: 'DraftOrder' });

export const orderDraftSchema = z
  .strictObject({
    currency: z.string(),
    lines: z.array(orderLineSchema),
    totals: totalsSchema.meta({ description: 'Without a shipping method, shipping is zero.' }),
    shippingMethod: z.union([shippingMethodSchema, z.null()]),
    shippingMethods: z.array(shippingOptionSchema),
    addressCheck: nullableAddressCheckSchema,
    warnings: z.array(warningSchema),
  })
  .meta({ id: 'OrderDraft' });

export const backorderChoiceSchema = z
  .strictObject({ choice: z.enum(['wait', 'cancel']) })
  .meta({ id: 'BackorderChoice' });

export const payAnewSchema = z.strictObject({ token: paymentTokenSchema }).meta({ id: 'PayAnew' });

export const cancelSchema = z
  .strictObject({ reason: text(500).default('No reason given.') })
  .meta({ id: 'CancelOrder' });

export const timelineSchema = z
  .strictObject({
    orderId: z.string(),
    status: orderStatusSchema,
    data: z.array(
      z.strictObject({
        at: timeSchema,
        type: z.string(),
        title: z.string(),
        shipmentId: z.string().optional(),
        carrier: z.string().optional(),
        trackingNumber: z.string().optional(),
        amount: moneySchema.optional(),
      }),
    ),
  })
  .meta({ id: 'Timeline' });
