import { computed } from './computed';
import type { Layout } from './layout';

/** Elements whose bytes stand the other way round. @param size bytes of what is turned: 2, 4 or 8 */
export const swapped = (stored: Layout, size: number): Layout =>
  computed(stored, bytes => {
    const buffer = Buffer.from(bytes.buffer);
    if (size === 2) buffer.swap16();
    else if (size === 4) buffer.swap32();
    else buffer.swap64();
    return bytes;
  });
