import type * as z from 'zod/mini';

/**
 * What a schema gives, for those who only read it. A schema stands once and is both the check and the
 * type; its fields say what they mean.
 */
export type Inferred<Schema extends z.core.$ZodType> = ReadOnly<z.output<Schema>>;

type ReadOnly<T> = T extends object ? { readonly [Key in keyof T]: ReadOnly<T[Key]> } : T;
