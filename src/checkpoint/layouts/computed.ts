import type { Layout } from './layout';

/** Elements that are computed of stored ones, each of the one in its place. */
export function computed(stored: Layout, compute: (bytes: Uint8Array) => Uint8Array): Layout {
  return {
    read: async (readBytes, firstElement, count) =>
      compute(await stored.read(readBytes, firstElement, count)),
  };
}
