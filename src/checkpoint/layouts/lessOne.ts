import { toFloat32, type StoredType } from '../elementTypes';
import type { Layout } from './layout';

/** The elements of another layout less 1, computed and read as float32. */
export function lessOne(stored: Layout, type: StoredType): Layout {
  return {
    async read(readBytes, firstElement, count) {
      const values = toFloat32(await stored.read(readBytes, firstElement, count), type);
      return new Uint8Array(values.map(value => value - 1).buffer);
    },
  };
}
