import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';

const flops = (...results: g.Tensor[]): g.FlopCount => g.countFlops(results);
const kilobytes = (rows: number): number => rows * 256 * 4;

describe('countFlops', () => {
  const [m, n, k] = [5, 7, 3];

  for (const { name, a, b, transposed } of [
    { name: 'plain', a: [m, k], b: [k, n], transposed: {} },
    { name: 'first transposed', a: [k, m], b: [k, n], transposed: { transA: true } },
    { name: 'second transposed', a: [m, k], b: [n, k], transposed: { transB: true } },
    {
      name: 'both transposed',
      a: [k, m],
      b: [n, k],
      transposed: { transA: true, transB: true },
    },
  ]) {
    it(`counts 2·m·n·k for a Gemm, ${name}`, () => {
      const product = g.gemm(g.input('a', a), g.input('b', b), transposed);
      assert.deepEqual(flops(product), { matrix: 2 * m * n * k, other: 0 });
    });
  }

  it('counts every product of a batched MatMul, broadcast ones too', () => {
    const same = g.matMul(g.input('a', [4, 6, m, k]), g.input('b', [4, 6, k, n]));
    assert.deepEqual(flops(same), { matrix: 4 * 6 * 2 * m * n * k, other: 0 });
    const broadcast = g.matMul(g.input('a', [4, 1, m, k]), g.input('b', [6, k, n]));
    assert.deepEqual(flops(broadcast), { matrix: 4 * 6 * 2 * m * n * k, other: 0 });
  });

  it('counts one operation an element where one is made', () => {
    const x = g.input('x', [4, 5]);
    assert.equal(flops(g.add(x, g.input('row', [5]))).other, 20);
    assert.equal(flops(g.reduceSum(x, [1])).other, 20);
    assert.equal(flops(g.softmax(x)).other, 5 * 20);
    const indices = g.input('i', [2, 5], 'int32');
    assert.equal(flops(g.scatterElements(x, indices, g.input('u', [2, 5]))).other, 10);
  });

  it('counts nothing for moving elements', () => {
    const x = g.input('x', [4, 6]);
    const moved = [
      g.reshape(x, [24]),
      g.transposeLast(x),
      g.slice(x, 0, 1, 3),
      g.concat([x, x], 0),
      g.expand(x, [3, 4, 6]),
      g.gather(x, g.input('i', [9], 'int32')),
      ...g.split(x, 1, [2, 4]),
    ];
    assert.deepEqual(flops(...moved), { matrix: 0, other: 0 });
  });

  it('counts shared work once and forgotten work never', () => {
    const x = g.input('x', [m, m]);
    const square = g.gemm(x, x);
    g.gemm(square, square);
    assert.deepEqual(flops(square, g.add(square, square)), { matrix: 2 * m ** 3, other: m * m });
  });

  it('finds twice the forward work in the backward pass of a linear layer', () => {
    const [x, w] = [g.input('x', [m, k]), g.input('w', [n, k])];
    const y = g.gemm(x, w, { transB: true });
    const backward = g.gradients(g.reduceSum(g.mul(y, y)), [x, w]);
    assert.equal(flops(...backward).matrix, 3 * flops(y).matrix);
  });
});

describe('peakBytes', () => {
  const x = g.input('x', [256]);

  it('holds the input and two links of a chain', () => {
    const chain = g.exp(g.tanh(g.neg(g.exp(x))));
    assert.equal(g.peakBytes([chain]), kilobytes(1 + 2));
  });

  it('keeps what a later node still reads', () => {
    const early = g.exp(x);
    const late = g.add(g.neg(g.tanh(early)), early);
    // At the sum: x, early, the negated one, and the sum.
    assert.equal(g.peakBytes([late]), kilobytes(4));
  });

  it('frees an operand once that a node reads twice', () => {
    const square = g.mul(g.exp(x), g.exp(x));
    assert.equal(g.peakBytes(g.simplify([g.exp(g.neg(square))])), kilobytes(3));
  });

  it('keeps results to the end, and inputs and constants throughout', () => {
    const [first, second] = [g.exp(x), g.tanh(x)];
    const constant = g.constant(new Float32Array(512));
    assert.equal(g.peakBytes([first, second, constant]), kilobytes(1 + 2 + 2));
  });

  it('gives a Reshape no memory of its own, and keeps what it shows', () => {
    const made = g.exp(x);
    const shown = g.reshape(made, [16, 16]);
    assert.equal(g.peakBytes([made, shown]), kilobytes(2));
    assert.equal(g.peakBytes([shown]), kilobytes(2));
    // x, what is shown as the result, and two links of the chain beside it.
    assert.equal(g.peakBytes([shown, g.exp(g.tanh(x))]), kilobytes(4));
  });

  it('counts every output of a node, and forgets the unread ones after it', () => {
    const [first] = g.split(x, 0, [64, 192]) as [g.Tensor];
    // x and both pieces while cutting; x, the first piece and its negative afterwards.
    assert.equal(g.peakBytes([g.neg(first)]), kilobytes(2));
  });

  it('counts four bytes an element of either type', () => {
    assert.equal(g.tensorBytes(g.input('i', [3, 5], 'int32')), 60);
    assert.equal(g.tensorBytes(g.scalar(1)), 4);
  });
});
