/**
 * Whether an error tells of what is wrong with a file's structure, as readers of structures throw them:
 * its message ends "it cannot be used: …". Others are for people already, or defects, or of the disk.
 */
export const isStructureError = (error: unknown): error is Error =>
  error instanceof Error && error.constructor === Error && !('code' in error);
