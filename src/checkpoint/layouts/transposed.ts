import type { Layout } from './layout';

/** Bytes of rows that are turned at a time. */
const BATCH_BYTES = 1 << 22;
/** Bytes that are read to no use rather than in two reads. */
const UNUSED_BYTES = 4096;

/** A matrix as it is read: the file has its columns as rows. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Bytes of an element of the tensor's type. */
  readonly elementBytes: number;
}

/**
 * A matrix whose rows are the columns of another layout. Of each row in the file it reads little more
 * than the wanted part.
 */
export function transposed(stored: Layout, { rows, columns, elementBytes }: Matrix): Layout {
  const elements = elementsOf(elementBytes);
  return {
    async read(readBytes, firstElement, count) {
      const bytes = new Uint8Array(count * elementBytes);
      if (count === 0) return bytes;
      const wanted = elements(bytes);
      const firstRow = Math.floor(firstElement / columns);
      const lastRow = Math.floor((firstElement + count - 1) / columns);
      const isPart = (rows - (lastRow + 1 - firstRow)) * elementBytes >= UNUSED_BYTES;
      const [begin, end] = isPart ? [firstRow, lastRow + 1] : [0, rows];
      const atOnce = isPart ? 1 : Math.max(1, Math.floor(BATCH_BYTES / (rows * elementBytes)));
      for (let column = 0; column < columns; column += atOnce) {
        const some = Math.min(atOnce, columns - column);
        const length = (some - 1) * rows + end - begin;
        const read = elements(await stored.read(readBytes, column * rows + begin, length));
        for (let i = 0; i < some; i++) {
          for (let row = firstRow; row <= lastRow; row++) {
            const element = row * columns + column + i - firstElement;
            if (element >= 0 && element < count) wanted[element] = read[i * rows + row - begin]!;
          }
        }
      }
      return bytes;
    },
  };
}

/** Fresh bytes as elements of a size, whatever they mean. */
function elementsOf(size: number): (bytes: Uint8Array) => Record<number, number | bigint> {
  switch (size) {
    case 1:
      return bytes => bytes;
    case 2:
      return ({ buffer }) => new Uint16Array(buffer);
    case 4:
      return ({ buffer }) => new Uint32Array(buffer);
    default:
      return ({ buffer }) => new BigUint64Array(buffer);
  }
}
