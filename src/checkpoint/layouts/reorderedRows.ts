import type { Layout, ReadBytes } from './layout';

/** Bytes of rows that are put in order at a time. */
const BATCH_BYTES = 1 << 22;
/** Rows of the file from a wanted one to the next that are read together with both. */
const MOST_STEP = 4;

/** Rows of a tensor that lie in its file in another order. */
export interface RowOrder {
  /** Bytes of a row, as elements of the tensor's type. */
  readonly rowBytes: number;
  /** Elements of a row. */
  readonly rowLength: number;
  /** Which of the rows in the file a row is. */
  readonly storedRow: (row: number) => number;
}

/** The rows of another layout in their right order. */
export function reorderedRows(stored: Layout, order: RowOrder): Layout {
  const { rowBytes, rowLength } = order;
  const elementBytes = rowBytes / rowLength;
  return {
    async read(readBytes, firstElement, count) {
      const bytes = new Uint8Array(count * elementBytes);
      const end = Math.ceil((firstElement + count) / rowLength);
      const atOnce = Math.max(1, Math.floor(BATCH_BYTES / rowBytes));
      for (let row = Math.floor(firstElement / rowLength); row < end; row += atOnce) {
        const rows = await readRows(stored, order, readBytes, [row, Math.min(row + atOnce, end)]);
        // Rows at either end may be wanted in part.
        const at = (row * rowLength - firstElement) * elementBytes;
        const part = rows.subarray(Math.max(0, -at), Math.max(0, bytes.length - at));
        bytes.set(part, Math.max(0, at));
      }
      return bytes;
    },
  };
}

/** Rows from one up to another, in their right order. */
async function readRows(
  stored: Layout,
  { rowBytes, rowLength, storedRow }: RowOrder,
  readBytes: ReadBytes,
  [begin, end]: readonly [number, number],
): Promise<Uint8Array> {
  const rows = new Uint8Array((end - begin) * rowBytes);
  const found = Array.from({ length: end - begin }, (_, i) => ({
    i,
    source: storedRow(begin + i),
  }));
  found.sort((a, b) => a.source - b.source);
  let next = 0;
  while (next < found.length) {
    const first = next;
    const from = found[first]!.source;
    let last = from;
    for (; next < found.length && found[next]!.source - last <= MOST_STEP; next++) {
      last = found[next]!.source;
    }
    const read = await stored.read(readBytes, from * rowLength, (last + 1 - from) * rowLength);
    for (const { i, source } of found.slice(first, next)) {
      const at = (source - from) * rowBytes;
      rows.set(read.subarray(at, at + rowBytes), i * rowBytes);
    }
  }
  return rows;
}
