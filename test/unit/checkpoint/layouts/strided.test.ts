import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bytesPerElement, type StoredType } from '../../../../src/checkpoint/elementTypes';
import { strided } from '../../../../src/checkpoint/layouts/strided';
import { elementCount } from '../../../../src/checkpoint/tensor';
import { seeded } from '../files';

/** A file in memory that counts what is read of it. */
function fileOf(bytes: Uint8Array) {
  const told = { bytes: 0, largest: 0, reads: 0 };
  const read = (begin: number, end: number): Promise<Uint8Array> => {
    assert.ok(begin >= 0 && begin <= end && end <= bytes.byteLength, `${begin} to ${end}`);
    told.bytes += end - begin;
    told.largest = Math.max(told.largest, end - begin);
    told.reads++;
    return Promise.resolve(bytes.slice(begin, end));
  };
  return { told, read };
}

/** Element by element, as the strides say. */
function gathered(
  bytes: Uint8Array,
  size: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const count = elementCount(shape);
  const out = new Uint8Array(count * size);
  for (let element = 0; element < count; element++) {
    let rest = element;
    let at = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    out.set(bytes.subarray(at * size, (at + 1) * size), element * size);
  }
  return out;
}

const types: readonly StoredType[] = ['I8', 'F16', 'F32', 'F64', 'C64'];

test('any elements of any view are those that its strides say', async () => {
  const next = seeded(7);
  const below = (bound: number): number => next() % bound;
  for (let round = 0; round < 400; round++) {
    const type = types[below(types.length)]!;
    const size = bytesPerElement(type);
    const shape = Array.from({ length: below(5) }, () => 1 + below(5));
    const strides = shape.map(() => below(40));
    const span = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, 1);
    const begin = 8 * below(3);
    const bytes = Uint8Array.from({ length: begin + span * size }, () => next());
    const expected = gathered(bytes.subarray(begin), size, shape, strides);
    const { read } = fileOf(bytes);
    const first = below(elementCount(shape) + 1);
    const count = below(elementCount(shape) - first + 1);
    const found = await strided(type, begin, shape, strides).read(read, first, count);
    assert.equal(found.buffer.byteLength, count * size);
    const same = Buffer.from(found).equals(expected.subarray(first * size, (first + count) * size));
    assert.ok(same, `${type} [${shape.join()}] by [${strides.join()}] from ${first}, ${count}`);
  }
});

const rows = 3000;
const columns = 2000;
const matrix = new Uint8Array(Float32Array.from({ length: rows * columns }, (_, i) => i).buffer);
const transposed = strided('F32', 0, [columns, rows], [1, columns]);

test('a transposed matrix is read once, and in parts', async () => {
  const { told, read } = fileOf(matrix);
  const values = new Float32Array((await transposed.read(read, 0, rows * columns)).buffer);
  assert.equal(values[rows], 1);
  assert.equal(values.at(-1), rows * columns - 1);
  assert.equal(told.bytes, matrix.byteLength);
});

test('a few columns of a matrix are read without the matrix', async () => {
  const { told, read } = fileOf(matrix);
  const values = new Float32Array((await transposed.read(read, 5 * rows, 10)).buffer);
  assert.deepEqual(
    [...values],
    Array.from({ length: 10 }, (_, i) => 5 + i * columns),
  );
  assert.ok(told.bytes < 20 * 16384, `${told.bytes} bytes were read`);
});

test('what is repeated is read once', async () => {
  const { told, read } = fileOf(matrix);
  const layout = strided('F32', 0, [100_000, 10], [0, 1]);
  const values = new Float32Array((await layout.read(read, 0, 1_000_000)).buffer);
  assert.equal(values.at(-1), 9);
  assert.equal(told.bytes, 40);
});

test('elements far apart are read one by one, not with all that lies between them', async () => {
  const reads: [number, number][] = [];
  const read = (begin: number, end: number): Promise<Uint8Array> => {
    reads.push([begin, end]);
    return Promise.resolve(new Uint8Array(end - begin));
  };
  await strided('F32', 0, [50, 2], [1e9, 1]).read(read, 0, 100);
  assert.equal(reads.length, 50);
  assert.ok(reads.every(([begin, end]) => end - begin === 8));
});

test('a part of a matrix of 100 GB is never in memory with more than 32 MB at a time', async () => {
  let largest = 0;
  const read = (begin: number, end: number): Promise<Uint8Array> => {
    largest = Math.max(largest, end - begin);
    return Promise.resolve(new Uint8Array(end - begin));
  };
  await strided('F32', 0, [5e6, 5000], [1, 5e6]).read(read, 0, 10_000_000);
  assert.ok(largest <= 1 << 25, `${largest} bytes at once`);
});
