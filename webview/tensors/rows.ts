/** A column of a table of tensors. */
export interface Column<Row> {
  /** The class of its cells, and what an order calls it. */
  readonly name: string;
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly compare: (a: Row, b: Row) => number;
}

/** What a table shows of its rows. */
export interface RowKind<Row> {
  readonly columns: readonly Column<Row>[];
  /** Tells a row from the others, also in a checkpoint that was opened anew. */
  readonly nameOf: (row: Row) => string;
  /** What the words of a filter are looked for in. */
  readonly searched: (row: Row) => string;
  /** What is read out of a row that a person comes to. */
  readonly said: (row: Row) => string;
}

/** In which order the rows are. */
export interface Order {
  readonly column: string;
  readonly descending: boolean;
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** Numbers inside names count as numbers, so that layer 10 comes after layer 9. */
export const compareNames = (a: string, b: string): number => collator.compare(a, b);

/** Shapes by how many axes they have, then by how many elements. */
export function compareShapes(a: readonly number[], b: readonly number[]): number {
  const elements = (shape: readonly number[]): number =>
    shape.reduce((product, axis) => product * axis, 1);
  return a.length - b.length || elements(a) - elements(b);
}

/**
 * The rows in which every word of the filter is found ("768x3072" in a shape), in order. Equal rows stay in
 * the order of the file.
 */
export function arrangeRows<Row>(
  rows: readonly Row[],
  filter: string,
  order: Order | undefined,
  { columns, searched }: Pick<RowKind<Row>, 'columns' | 'searched'>,
): readonly Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const kept =
    words.length === 0
      ? rows
      : rows.filter(row => {
          const text = searched(row).toLowerCase();
          return words.every(word => text.includes(word.replace(/[×*]/g, 'x')));
        });
  const compare = columns.find(({ name }) => name === order?.column)?.compare;
  if (order === undefined || compare === undefined) return kept;
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
