import type { PackedMatrix, PooledMatrix } from './events';

const largest = 32_767;
const notFinite = -32_768;

/** Packs a matrix. */
export function packMatrix({ values, ...matrix }: PooledMatrix): PackedMatrix {
  let limit = 0;
  for (const value of values) {
    if (Number.isFinite(value)) limit = Math.max(limit, Math.abs(value));
  }
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => {
    const share = limit > 0 ? value / limit : 0;
    bytes.writeInt16LE(Number.isFinite(value) ? Math.round(share * largest) : notFinite, index * 2);
  });
  return { ...matrix, limit, packed: bytes.toString('base64') };
}

/** The cells of a packed matrix; undefined when there are fewer or more than it says. */
export function unpackValues({
  rows,
  columns,
  limit,
  packed,
}: Pick<PackedMatrix, 'rows' | 'columns' | 'limit' | 'packed'>): Float32Array | undefined {
  const cells = rows * columns;
  // Four characters hold three bytes.
  if (packed.length > Math.ceil((cells * 2) / 3) * 4) return undefined;
  const bytes = Buffer.from(packed, 'base64');
  if (bytes.length !== cells * 2) return undefined;
  return Float32Array.from({ length: cells }, (_, index) => {
    const value = bytes.readInt16LE(index * 2);
    return value === notFinite ? NaN : (value / largest) * limit;
  });
}
