import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { permutation, randomGenerator } from '../../src/random';

const draws = (count: number, ...numbers: [number, ...number[]]): number[] => {
  const generator = randomGenerator(...numbers);
  return Array.from({ length: count }, () => generator.uniform());
};

describe('the seeded generator', () => {
  it('repeats itself for the same seed and stream', () => {
    assert.deepEqual(draws(100, 7, 1, 2), draws(100, 7, 1, 2));
  });

  it('keeps its numbers from release to release', () => {
    const generator = randomGenerator(0, 1, 2);
    assert.deepEqual(
      Array.from({ length: 4 }, () => generator.integer(1_000_000)),
      [802430, 482551, 688640, 43276],
    );
  });

  it('differs in every number of the stream, its order, its length and its high and low bits', () => {
    const streams: [number, ...number[]][] = [
      [0],
      [1],
      [0, 0],
      [0, 0, 0],
      [0, 1],
      [1, 0],
      [2 ** 32],
      [2 ** 40 + 1],
      [0.5],
      [-1],
    ];
    const first = streams.map(numbers => draws(1, ...numbers)[0]);
    assert.equal(new Set(first).size, streams.length);
    assert.deepEqual(draws(3, -0), draws(3, 0));
  });

  it('is uniform: mean, variance, neighbours and a chi-square over 256 cells', () => {
    const values = draws(200_000, 3);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    assert.ok(Math.abs(mean - 0.5) < 0.003, `mean ${mean}`);
    assert.ok(Math.abs(variance - 1 / 12) < 0.001, `variance ${variance}`);
    const lag =
      values.slice(1).reduce((sum, value, i) => sum + (value - 0.5) * (values[i]! - 0.5), 0) /
      values.length;
    assert.ok(Math.abs(lag) < 0.001, `covariance of neighbours ${lag}`);
    const cells = new Float64Array(256);
    for (const value of values) cells[Math.floor(value * 256)]! += 1;
    const expected = values.length / 256;
    const chiSquare = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: mean 255, standard deviation 22.6.
    assert.ok(chiSquare > 170 && chiSquare < 350, `chi-square ${chiSquare}`);
  });

  it('is uniform over the first draw of successive streams, as steps use it', () => {
    const cells = new Float64Array(64);
    for (let step = 0; step < 64_000; step++) {
      cells[randomGenerator(0, 1, step).integer(64)]! += 1;
    }
    const chiSquare = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 63 degrees of freedom: mean 63, standard deviation 11.2.
    assert.ok(chiSquare > 25 && chiSquare < 115, `chi-square ${chiSquare}`);
  });

  it('draws normals of mean 0, variance 1 and kurtosis 3', () => {
    const generator = randomGenerator(11);
    const values = Array.from({ length: 200_000 }, () => generator.normal());
    const moment = (power: number): number =>
      values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    assert.ok(Math.abs(moment(1)) < 0.01);
    assert.ok(Math.abs(moment(2) - 1) < 0.02);
    assert.ok(Math.abs(moment(3)) < 0.04);
    assert.ok(Math.abs(moment(4) - 3) < 0.1);
    assert.ok(values.every(Number.isFinite));
  });

  it('skips normals as if they had been drawn', () => {
    for (const before of [0, 1, 2]) {
      for (const skipped of [0, 1, 2, 3, 7, 8]) {
        const [drawing, skipping] = [randomGenerator(3), randomGenerator(3)];
        for (let index = 0; index < before + skipped; index++) drawing.normal();
        for (let index = 0; index < before; index++) skipping.normal();
        skipping.skipNormals(skipped);
        const next = [drawing, skipping].map(generator => [
          generator.normal(),
          generator.normal(),
          generator.uniform(),
        ]);
        assert.deepEqual(next[1], next[0], `${before} drawn, ${skipped} skipped`);
      }
    }
  });

  it('refuses bounds that are no positive integer', () => {
    const generator = randomGenerator(0);
    for (const bound of [0, -1, 1.5, Number.NaN, 2 ** 60]) {
      assert.throws(() => generator.integer(bound), RangeError);
    }
  });

  it('permutes without loss and without a favourite place', () => {
    assert.deepEqual([...permutation(0, randomGenerator(0))], []);
    assert.deepEqual(
      [...permutation(1000, randomGenerator(5))].sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, index) => index),
    );
    const firsts = new Float64Array(8);
    for (let seed = 0; seed < 8000; seed++) firsts[permutation(8, randomGenerator(seed))[0]!]! += 1;
    assert.ok(firsts.every(count => count > 850 && count < 1150));
  });
});
