/** Throws for what is wrong with a file: goes on where "it cannot be used: " ends. */
export type Fail = (what: string, options?: ErrorOptions) => never;

/**
 * What a reader of a file's structure gives. Such readers throw plain errors that say what is wrong with
 * it; others are for people already, or defects, or of the disk, and pass.
 */
export async function structureOf<T>(reading: Promise<T>, fail: Fail): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    if (!isStructureError(cause)) throw cause;
    return fail(cause.message.replace(/\.$/, ''), { cause });
  }
}

const isStructureError = (error: unknown): error is Error =>
  error instanceof Error && error.constructor === Error && !('code' in error);
