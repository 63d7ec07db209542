import type { ReadBytes } from '../layouts/layout';

/**
 * Reads at least so many bytes at once and serves what follows from these: for many small reads near each
 * other. What it gives must not be written to.
 * @param size bytes of the file
 */
export function windowed(read: ReadBytes, size: number, least: number): ReadBytes {
  let window: Uint8Array = new Uint8Array(0);
  let from = 0;
  return async (begin, end) => {
    if (begin < from || end > from + window.byteLength) {
      window = await read(begin, Math.min(size, Math.max(end, begin + least)));
      from = begin;
    }
    return window.subarray(begin - from, end - from);
  };
}
