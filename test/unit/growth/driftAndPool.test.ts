import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { operatorDrift, poolOperators, type Operator } from '../../../src/growth';
import { assertClose } from '../../support/close';
import { uniform } from '../../support/random';

describe('operatorDrift', () => {
  const operators: readonly Operator[] = [
    { name: 'width.residual', group: 'width', shape: [1, 2] },
    { name: 'width.ffn.0', group: 'width', shape: [1, 2] },
    { name: 'depth.q.weight', group: 'depth', shape: [2, 2] },
  ];
  const initial = {
    'width.residual': Float32Array.of(3, 4),
    'width.ffn.0': Float32Array.of(0, 0),
    'depth.q.weight': Float32Array.of(1, 0, 0, 1),
  };

  it('is zero where nothing moved', () => {
    const { groups, operators: each } = operatorDrift(operators, initial, initial);
    assert.deepEqual(groups, { width: 0, depth: 0 });
    assert.deepEqual(Object.values(each), [0, 0, 0]);
  });

  it('is the distance in units of where each operator, and each group, began', () => {
    const moved = {
      'width.residual': Float32Array.of(3, 7),
      'width.ffn.0': Float32Array.of(0, 4),
      'depth.q.weight': Float32Array.of(1, 1, 0, 0),
    };
    const { groups, operators: each } = operatorDrift(operators, initial, moved);
    assertClose([each['width.residual']!], [3 / 5], 1e-12);
    // An operator that began at zero reports how far it is from there.
    assertClose([each['width.ffn.0']!], [4], 1e-12);
    assertClose([each['depth.q.weight']!], [1], 1e-12);
    assertClose([groups.width!], [Math.sqrt((9 + 16) / 25)], 1e-12);
    assertClose([groups.depth!], [1], 1e-12);
  });

  it('knows only the groups that the growth has', () => {
    const { groups } = operatorDrift(operators.slice(2), initial, initial);
    assert.deepEqual(Object.keys(groups), ['depth']);
  });
});

describe('poolOperators', () => {
  it('keeps a small operator as it is', () => {
    const values = uniform(1, 6 * 64);
    const operator: Operator = { name: 'depth.q.weight', group: 'depth', shape: [6, 64] };
    const [pooled] = poolOperators([operator], { 'depth.q.weight': values });
    const { values: written, ...rest } = pooled!;
    assert.deepEqual(rest, { ...operator, rows: 6, columns: 64 });
    // Written with as many digits as tell float32 values apart.
    assert.deepEqual(Float32Array.from(written), values);
  });

  it('makes each cell of a large one the element of largest magnitude, with its sign', () => {
    const [height, width] = [130, 200];
    const values = uniform(2, height * width);
    const operator: Operator = { name: 'width.residual', group: 'width', shape: [height, width] };
    const [pooled] = poolOperators([operator], { 'width.residual': values });
    assert.equal(pooled!.rows, 64);
    assert.equal(pooled!.columns, 64);
    const cells = Array.from({ length: 64 * 64 }, () => [] as number[]);
    values.forEach((value, index) => {
      const row = Math.floor((Math.floor(index / width) * 64) / height);
      const column = Math.floor(((index % width) * 64) / width);
      cells[row * 64 + column]!.push(value);
    });
    assert.deepEqual(
      pooled!.values,
      cells
        .map(cell => cell.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)))
        .map(value => Number(value.toPrecision(5))),
    );
    const outlier = values.slice();
    outlier[777] = -9;
    const [again] = poolOperators([operator], { 'width.residual': outlier });
    assert.equal(Math.min(...again!.values), -9);
  });
});
