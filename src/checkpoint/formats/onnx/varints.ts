import { CorruptFileError } from '../../../errors';
import { bytesPerElement, type StoredType } from '../../elementTypes';
import type { Layout } from '../../layouts/layout';

/** Bytes of such numbers in one tensor at most: exporters write them for shapes and small tables. */
const MOST_BYTES = 64e6;

/** Elements that stand as varints one after the other: their lowest bytes are those of the element. */
export function varints(
  type: StoredType,
  { begin, end, what }: { begin: number; end: number; what: string },
): Layout {
  const size = bytesPerElement(type);
  const fail = (problem: string): never => {
    throw new CorruptFileError(`${what} ${problem}.`, 'Export the model anew.');
  };
  return {
    async read(readBytes, firstElement, count) {
      if (end - begin > MOST_BYTES) fail('has too many numbers that are not in one run of bytes');
      const stored = await readBytes(begin, end);
      const out = new Uint8Array(count * size);
      let at = 0;
      for (let element = 0; element < firstElement + count; element++) {
        let value = 0n;
        for (let shift = 0n; ; shift += 7n) {
          const byte = stored[at++];
          if (byte === undefined || shift > 63n) return fail('does not hold the numbers it states');
          value |= BigInt(byte & 127) << shift;
          if (byte < 128) break;
        }
        for (let byte = 0; byte < size && element >= firstElement; byte++) {
          out[(element - firstElement) * size + byte] = Number((value >> BigInt(8 * byte)) & 255n);
        }
      }
      return out;
    },
  };
}
