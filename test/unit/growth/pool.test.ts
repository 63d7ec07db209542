import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poolMatrix } from '../../../src/growth';

test('a pooled cell is the element of largest magnitude, with its sign', () => {
  const data = Float32Array.of(1, -5, 2, 3, 0, 1, 1, -4);
  assert.deepEqual(poolMatrix(data, [2, 4], 2), { rows: 2, columns: 2, values: [-5, 3, 1, -4] });
});

test('a NaN is not lost in pooling', () => {
  const data = Float32Array.of(1, NaN, 2, 3);
  assert.deepEqual(poolMatrix(data, [1, 4], 2).values, [NaN, 3]);
});

test('a matrix that is small enough keeps every float32 as it is', () => {
  const data = Float32Array.of(0.1, -1e-30, 3.4e38, 1 / 3);
  assert.deepEqual(Float32Array.from(poolMatrix(data, [2, 2], 8).values), data);
});
