/** Kinds of fields that several schemas have. */
import * as z from 'zod/mini';

/** JSON has no NaN: what is no finite number comes as null, and is NaN again. */
export const measured = z.pipe(
  z.nullable(z.number()),
  z.transform(value => value ?? NaN),
);

export const amount = z.number().check(z.nonnegative());
export const count = z.int().check(z.nonnegative());
/** A side of a model, a batch or the like. */
export const size = z.int().check(z.minimum(1), z.maximum(2 ** 20));
/** Updates, or a number of them that is planned. */
export const updates = z.int().check(z.minimum(0), z.maximum(1e9));
/** A moment that a date can be made of, milliseconds since the epoch. */
export const moment = z.number().check(z.minimum(0), z.maximum(8.64e15));
/** Absolute, unless a schema says otherwise. */
export const path = z.string().check(z.minLength(1), z.maxLength(32_768));

/** What is wrong or worth knowing, and what a person can do about it. */
export const note = z.object({ message: z.string(), remedy: z.string() });
