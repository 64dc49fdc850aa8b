import { z } from 'zod';
import { allScopes } from '../auth.ts';
import { addressSchema, nullableAddressCheckSchema, text, timeSchema, versionSchema } from './common.ts';

const MIN_PASSWORD = 10;
/** Enough for any passphrase; bounds the work of hashing. */
const MAX_PASSWORD = 200;

const passwordSchema = z.string().min(MIN_PASSWORD).max(MAX_PASSWORD).meta({ example: 'correct horse battery' });

const emailSchema = z
  .string()
  .trim()
  .max(254)
  .pipe(z.email())
  .meta({ type: 'string', format: 'email', example: 'ada@example.com' });

export const savedAddressSchema = z
  .strictObject({
    id: z.string(),
    isDefault: z.boolean(),
    address: addressSchema,
    verified: z.boolean(),
    addressCheck: nullableAddressCheckSchema,
  })
  .meta({ id: 'SavedAddress' });

export const preferencesSchema = z
  .strictObject({ orderUpdates: z.boolean(), marketing: z.boolean() })
  .meta({ id: 'Preferences' });

export const customerSchema = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    name: z.string(),
    role: z.enum(['customer', 'staff']),
    addresses: z.array(savedAddressSchema),
    preferences: preferencesSchema,
    version: versionSchema,
  })
  .meta({ id: 'Customer' });

export const registerSchema = z
  .strictObject({
    email: emailSchema,
    password: passwordSchema,
    name: text(100),
  })
  .meta({ id: 'Register' });

export const signInSchema = z
  .strictObject({ email: z.string().min(1).max(254), password: z.string().min(1).max(MAX_PASSWORD) })
  .meta({ id: 'SignIn' });

const token = z.string().meta({ description: 'Send it as `Authorization: Bearer <token>`.' });

export const sessionSchema = z.strictObject({ token, expiresAt: timeSchema }).meta({ id: 'Session' });
export const registeredSchema = z
  .strictObject({ customer: customerSchema, token, expiresAt: timeSchema })
  .meta({ id: 'Registered' });

export const changePreferencesSchema = preferencesSchema.partial().meta({ id: 'ChangePreferences' });
export const changeMeSchema = z
  .strictObject({ name: text(100).optional(), preferences: changePreferencesSchema.optional() })
  .meta({ id: 'ChangeMe' });

export const changePasswordSchema = z
  .strictObject({ currentPassword: z.string().min(1).max(MAX_PASSWORD), newPassword: passwordSchema })
  .meta({ id: 'ChangePassword' });

const scopesSchema = z.array(z.enum(allScopes)).max(allScopes.length);

export const staffSchema = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    enabled: z.boolean(),
    version: versionSchema,
  })
  .meta({ id: 'Staff' });
export const staffListSchema = z.strictObject({ data: z.array(staffSchema) }).meta({ id: 'StaffList' });

export const addStaffSchema = z
  .strictObject({ email: emailSchema, password: passwordSchema, name: text(100), scopes: scopesSchema })
  .meta({ id: 'AddStaff' });
export const changeScopesSchema = z.strictObject({ scopes: scopesSchema, why: text(500) }).meta({ id: 'ChangeScopes' });

/** The address itself, as everywhere else, or with the wish to make it the default. */
export const addAddressSchema = z
  .union([addressSchema, z.strictObject({ address: addressSchema, makeDefault: z.boolean().default(false) })])
  .meta({ id: 'AddAddress' });

export const addressListSchema = z.strictObject({ data: z.array(savedAddressSchema) }).meta({ id: 'AddressList' });

/** In an order: an address, or one of the account's by its id. */
export const deliverySchema = z
  .union([addressSchema, z.strictObject({ addressId: z.string().min(1).max(120) })])
  .meta({ id: 'Delivery' });
