import { bytesPerElement, type StoredType } from '../elementTypes';
import type { Layout } from './layout';

/** Elements one after the other from a byte of the file on. */
export function contiguous(type: StoredType, begin: number): Layout {
  const size = bytesPerElement(type);
  return {
    read: (readBytes, firstElement, count) =>
      readBytes(begin + firstElement * size, begin + (firstElement + count) * size),
  };
}
