import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { StoredType } from '../../../src/checkpoint/elementTypes';
import { contiguous } from '../../../src/checkpoint/layouts/contiguous';
import type { Layout } from '../../../src/checkpoint/layouts/layout';
import { reorderedRows } from '../../../src/checkpoint/layouts/reorderedRows';
import { transposed } from '../../../src/checkpoint/layouts/transposed';

type Numbers = Int8Array | Int16Array | Int32Array | Float64Array;

/** Element types, their bytes, and numbers of them. */
const types: readonly (readonly [StoredType, number, (numbers: readonly number[]) => Numbers])[] = [
  ['I8', 1, numbers => Int8Array.from(numbers)],
  ['I16', 2, numbers => Int16Array.from(numbers)],
  ['I32', 4, numbers => Int32Array.from(numbers)],
  ['F64', 8, numbers => Float64Array.from(numbers)],
];

/** So many ascending numbers. */
const ascending = (count: number): number[] => Array.from({ length: count }, (_, i) => i - 20);

/** Reads ranges of a layout over a file of ascending numbers; tells how many bytes that took, and how many reads. */
async function reading(layout: Layout, bytes: Uint8Array, [first, count]: readonly number[]) {
  let taken = 0;
  let reads = 0;
  const read = (begin: number, end: number) => {
    taken += end - begin;
    reads++;
    return Promise.resolve(Uint8Array.prototype.slice.call(bytes, begin, end));
  };
  const found = await layout.read(read, first!, count!);
  assert.equal(found.buffer.byteLength, found.byteLength);
  return { found, taken, reads };
}

const ranges = (count: number): readonly (readonly [number, number])[] => [
  [0, count],
  [0, 1],
  [count - 1, 1],
  [Math.floor(count / 3), Math.floor(count / 3)],
  [1, 0],
];

for (const [type, size, valuesOf] of types) {
  test(`a matrix of ${type} that lies in its file by columns is read by rows`, async () => {
    const [rows, columns] = [7, 11];
    const values = ascending(rows * columns);
    const bytes = new Uint8Array(valuesOf(values).buffer);
    const layout = transposed(contiguous(type, 0), { rows, columns, elementBytes: size });
    for (const range of ranges(values.length)) {
      const { found } = await reading(layout, bytes, range);
      const [first, count] = range;
      const expected = Array.from({ length: count }, (_, i) => {
        const at = first + i;
        return values[(at % columns) * rows + Math.floor(at / columns)]!;
      });
      assert.deepEqual(found, new Uint8Array(valuesOf(expected).buffer), String(range));
    }
  });

  test(`rows of ${type} that lie in another order are read in theirs`, async () => {
    const [rows, rowLength] = [12, 5];
    const values = ascending(rows * rowLength);
    const bytes = new Uint8Array(valuesOf(values).buffer);
    const storedRow = (row: number): number => (row * 5) % rows;
    const order = { rowBytes: rowLength * size, rowLength, storedRow };
    const layout = reorderedRows(contiguous(type, 0), order);
    for (const range of ranges(values.length)) {
      const { found } = await reading(layout, bytes, range);
      const [first, count] = range;
      const expected = Array.from({ length: count }, (_, i) => {
        const at = first + i;
        return values[storedRow(Math.floor(at / rowLength)) * rowLength + (at % rowLength)]!;
      });
      assert.deepEqual(found, new Uint8Array(valuesOf(expected).buffer), String(range));
    }
  });
}

test('a row of a large matrix that lies by columns takes a part of the file', async () => {
  const [rows, columns] = [4096, 16];
  const bytes = new Uint8Array(4 * rows * columns);
  const layout = transposed(contiguous('F32', 0), { rows, columns, elementBytes: 4 });
  const { taken, reads } = await reading(layout, bytes, [3 * columns, columns]);
  assert.deepEqual({ taken, reads }, { taken: 4 * columns, reads: columns });
  const whole = await reading(layout, bytes, [0, rows * columns]);
  assert.deepEqual([whole.taken, whole.reads], [bytes.length, 1]);
});

test('rows that lie near each other are read together, those far away by themselves', async () => {
  const bytes = new Uint8Array(4 * 1000);
  const half = 500;
  const storedRow = (row: number): number => (row < half ? 2 * row : 2 * row - 999);
  const interleaved = { rowBytes: 4, rowLength: 1, storedRow };
  const near = await reading(reorderedRows(contiguous('F32', 0), interleaved), bytes, [0, 10]);
  assert.deepEqual([near.taken, near.reads], [4 * 19, 1]);
  const apart = await reading(reorderedRows(contiguous('F32', 0), interleaved), bytes, [490, 20]);
  assert.deepEqual([apart.taken, apart.reads], [4 * 38, 2]);
});
