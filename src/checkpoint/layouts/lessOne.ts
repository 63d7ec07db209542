import { toFloat32, type StoredType } from '../elementTypes';
import { computed } from './computed';
import type { Layout } from './layout';

/** The elements of another layout less 1, computed and read as float32. */
export const lessOne = (stored: Layout, type: StoredType): Layout =>
  computed(stored, bytes => new Uint8Array(toFloat32(bytes, type).map(value => value - 1).buffer));
