import { totalmem } from 'node:os';

/**
 * Bytes of main memory that this process may still take, limits of its container included. macOS
 * counts what it only keeps in case as used, so all of it counts there.
 */
export const freeMemory = (): number =>
  process.platform === 'darwin' ? totalmem() : process.availableMemory();
