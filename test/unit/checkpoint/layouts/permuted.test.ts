import assert from 'node:assert/strict';
import { test } from 'node:test';

import { permuted } from '../../../../src/checkpoint/layouts/permuted';
import type { Layout } from '../../../../src/checkpoint/layouts/layout';

/** Elements 0, 1, 2, … as numbers of so many bytes, little endian; what is read of them is told. */
function counting(bytes: number, told: (first: number, count: number) => void): Layout {
  return {
    read: (_, first, count) => {
      told(first, count);
      const out = new Uint8Array(count * bytes);
      for (let i = 0; i < count; i++) {
        for (let byte = 0; byte < bytes; byte++) {
          out[i * bytes + byte] = ((first + i) >> (8 * byte)) & 255;
        }
      }
      return Promise.resolve(out);
    },
  };
}

const nothing = (): Promise<Uint8Array> => Promise.reject(new Error('no file is read'));

/** Stored places in the order of the transposed tensor, one index after the other. */
function expectedOrder(shape: readonly number[], axes: readonly number[]): number[] {
  const out: number[] = [];
  const visit = (index: number[]): void => {
    if (index.length < shape.length) {
      for (let i = 0; i < shape[axes[index.length]!]!; i++) visit([...index, i]);
      return;
    }
    const stored = shape.map((_, axis) => index[axes.indexOf(axis)]!);
    out.push(stored.reduce((place, at, axis) => place * shape[axis]! + at, 0));
  };
  visit([]);
  return out;
}

test('every part of a tensor with its axes in another order is what numpy gives', async () => {
  for (const [shape, axes, size] of [
    [[3, 4], [1, 0], 4],
    [[2, 3, 4], [2, 1, 0], 2],
    [[2, 3, 2, 3], [3, 2, 0, 1], 1],
    [[2, 2, 2, 3], [0, 2, 1, 3], 8],
    [[5], [0], 4],
  ] as const) {
    const whole = expectedOrder(shape, axes);
    const layout = permuted(
      counting(size, () => undefined),
      size,
      shape,
      axes,
    );
    for (let first = 0; first <= whole.length; first++) {
      for (let count = 0; first + count <= whole.length; count++) {
        const read = await layout.read(nothing, first, count);
        const values = Array.from({ length: count }, (_, i) => read[i * size]!);
        assert.deepEqual(values, whole.slice(first, first + count), `${shape.join()} ${first}`);
      }
    }
  }
});

test('a part that lies together is read without the rest', async () => {
  const reads: [number, number][] = [];
  const stored = counting(4, (first, count) => reads.push([first, count]));
  // Two stored blocks that trade places inside of each of 100: a block of the result is one of the store.
  const layout = permuted(stored, 4, [100, 2, 3, 5], [0, 2, 1, 3]);
  await layout.read(nothing, 30 * 7, 30);
  assert.deepEqual(reads, [[30 * 7, 30]]);
});

test('a large tensor passes in slabs', async () => {
  let most = 0;
  const stored = counting(1, (_, count) => (most = Math.max(most, count)));
  const layout = permuted(stored, 1, [2048, 1024], [1, 0]);
  const read = await layout.read(nothing, 2048 * 4 - 2, 3);
  assert.deepEqual([...read], [3, 3, 4]);
  assert.equal(most, 1 << 20);
});
