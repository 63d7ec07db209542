import type { TensorRow } from '../../src/protocol/messages';

/** A column of the tensor table. */
export type Column = 'name' | 'shape' | 'type' | 'bytes';

/** In which order the rows are. */
export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

const collator = new Intl.Collator(undefined, { numeric: true });
const elements = (row: TensorRow): number => row.shape.reduce((product, axis) => product * axis, 1);

const comparisons: Record<Column, (a: TensorRow, b: TensorRow) => number> = {
  // Numbers inside names count as numbers, so that layer 10 comes after layer 9.
  name: (a, b) => collator.compare(a.name, b.name),
  shape: (a, b) => a.shape.length - b.shape.length || elements(a) - elements(b),
  type: (a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0),
  bytes: (a, b) => a.bytes - b.bytes,
};

/**
 * The rows that hold every word of the filter in name, type or shape ("768x3072"), in order. Equal
 * rows stay in the order of the file.
 */
export function arrangeRows(
  rows: readonly TensorRow[],
  filter: string,
  order: Order | undefined,
): readonly TensorRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const kept =
    words.length === 0
      ? rows
      : rows.filter(row => {
          const text = `${row.name} ${row.type} ${row.shape.join('x')}`.toLowerCase();
          return words.every(word => text.includes(word.replace(/[×*]/g, 'x')));
        });
  if (order === undefined) return kept;
  const compare = comparisons[order.column];
  return [...kept].sort((a, b) => (order.descending ? -compare(a, b) : compare(a, b)));
}

/** The rows to have in the page for what can be seen, with a few more on either side. */
export function visibleRange(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
): readonly [first: number, end: number] {
  const spare = 8;
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - spare);
  return [first, Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare)];
}
