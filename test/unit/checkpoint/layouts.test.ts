import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { StoredType } from '../../../src/checkpoint/elementTypes';
import { q4_0 } from '../../../src/checkpoint/formats/gguf/kinds/q4_0';
import { contiguous } from '../../../src/checkpoint/layouts/contiguous';
import type { Layout } from '../../../src/checkpoint/layouts/layout';
import { quantised } from '../../../src/checkpoint/layouts/quantised';
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

test('large tensors are read in several parts, which fit together', async () => {
  const [rows, columns] = [2 ** 20, 10];
  const values = Int8Array.from({ length: rows * columns }, (_, i) => i * 7 + (i >> 13));
  const bytes = new Uint8Array(values.buffer);
  const turned = transposed(contiguous('I8', 0), { rows, columns, elementBytes: 1 });
  const byRows = await reading(turned, bytes, [1, rows * columns - 1]);
  assert.equal(byRows.reads, 3);
  for (const at of [0, 12_345, 5_000_003, rows * columns - 2]) {
    const element = at + 1;
    const from = (element % columns) * rows + Math.floor(element / columns);
    assert.equal(byRows.found[at], bytes[from], String(at));
  }
  const storedRow = (row: number): number => columns - 1 - row;
  const order = { rowBytes: rows, rowLength: rows, storedRow };
  const { found, reads } = await reading(reorderedRows(contiguous('I8', 0), order), bytes, [
    5,
    rows * columns - 5,
  ]);
  assert.equal(reads, 3);
  for (const at of [0, rows - 6, rows - 5, 5 * rows, found.length - 1]) {
    const [row, column] = [Math.floor((at + 5) / rows), (at + 5) % rows];
    assert.equal(found[at], bytes[storedRow(row) * rows + column], String(at));
  }
});

test('blocks of a large tensor are read in several parts, which fit together', async () => {
  const count = 200_000;
  const bytes = new Uint8Array(18 * count);
  for (let block = 0; block < count; block++) {
    bytes.set([0, 0x3c, block & 255, (block >> 8) & 255], 18 * block);
  }
  const file = new Uint8Array(2 * bytes.length);
  file.set(bytes);
  file.set(bytes, bytes.length);
  const { found, reads } = await reading(quantised(q4_0, 0, 'a'), file, [3, 64 * count - 3]);
  assert.equal(reads, 2);
  const values = new Float32Array(found.buffer);
  for (const block of [1, 123_456, 233_016, 233_017, 2 * count - 1]) {
    const stored = block % count;
    assert.equal(values[32 * block - 3], (stored & 15) - 8, String(block));
    assert.equal(values[32 * block + 1 - 3], ((stored >> 8) & 15) - 8, String(block));
  }
});
