import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { assertClose } from '../../support/close';
import { uniform } from '../../support/random';
import { randomGraph } from './randomGraph';

const x = g.input('x', [2, 3]);
const simplified = (tensor: g.Tensor): g.Tensor => g.simplify([tensor])[0]!;
const count = (results: readonly g.Tensor[], op?: g.Operator): number =>
  g.topologicalOrder(results).filter(node => op === undefined || node.op === op).length;

describe('simplify', () => {
  it('computes equal nodes once, whatever they are made of', () => {
    const twice = (): g.Tensor => g.exp(g.mul(g.tanh(x), 2));
    const results = g.simplify([g.add(twice(), twice()), twice()]);
    assert.equal(count(results, 'Exp'), 1);
    assert.equal(count(results, 'Tanh'), 1);
    assert.equal(count(results, 'Constant'), 1);
    assert.equal(results[0]!.node.inputs[0], results[1]);
    assert.equal(results[0]!.node.inputs[1], results[1]);
  });

  it('computes equal nodes once also where it gives them another form', () => {
    const [column, narrow] = [g.input('column', [2, 1]), g.input('narrow', [3, 1])];
    const product = (): g.Tensor => g.gemm(g.mul(x, column), narrow);
    const reshaped = (): g.Tensor => g.reshape(g.reshape(product(), [1, 2]), [1, 1, 2]);
    const results = g.simplify([product(), product(), reshaped(), reshaped()]);
    assert.equal(count(results, 'Gemm'), 1);
    assert.equal(results[0], results[1]);
    assert.equal(results[2], results[3]);
  });

  it('keeps apart what differs in an attribute, an output or the order of operands', () => {
    const [left, right] = g.split(x, 1, [1, 2]) as [g.Tensor, g.Tensor];
    const different = [
      g.reduceSum(x, [0]),
      g.reduceSum(x, [1]),
      g.reduceSum(x, [1], true),
      g.gelu(x),
      g.gelu(x, 'tanh'),
      g.sub(x, g.exp(x)),
      g.sub(g.exp(x), x),
      left,
      right,
      g.layerNormalization(x, g.input('w', [3]), g.input('b', [3]), 1e-5).y,
      g.layerNormalization(x, g.input('w', [3]), g.input('b', [3]), 1e-6).y,
    ];
    assert.equal(new Set(g.simplify(different)).size, different.length);
  });

  it('keeps apart constants of other types, shapes or signs of zero', () => {
    const constants = [
      g.constant(Float32Array.of(1, 2), [2]),
      g.constant(Float32Array.of(1, 2), [1, 2]),
      g.constant(Int32Array.of(1, 2), [2]),
      g.constant(Float32Array.of(0, 2), [2]),
      g.constant(Float32Array.of(-0, 2), [2]),
    ];
    assert.equal(new Set(g.simplify(constants)).size, constants.length);
  });

  it('never joins two Inputs, and gives back the very same ones', () => {
    const [a, b] = [g.input('a', [2]), g.input('b', [2])];
    const [sum] = g.simplify([g.add(g.add(a, b), 0)]) as [g.Tensor];
    assert.deepEqual(sum.node.inputs, [a, b]);
    assert.equal(sum.node.inputs[0], a);
    assert.equal(sum.node.inputs[1], b);
  });

  it('folds what is known when the graph is built', () => {
    const known = g.mul(g.add(g.constant(Float32Array.of(1, 2)), 3), g.scalar(2));
    const folded = simplified(known);
    assert.equal(folded.node.op, 'Constant');
    assert.deepEqual(folded.node.attributes.data, Float32Array.of(8, 10));
    assert.deepEqual(folded.shape, [2]);
  });

  it('folds indices as int32', () => {
    const folded = simplified(g.argMax(g.constant(Float32Array.of(1, 5, 2), [1, 3])));
    assert.equal(folded.node.op, 'Constant');
    assert.equal(folded.type, 'int32');
    assert.deepEqual(folded.node.attributes.data, Int32Array.of(1));
  });

  it('does not fold what would fill the graph with numbers', () => {
    const large = g.expand(g.scalar(1), [100, 100]);
    assert.equal(simplified(large).node.op, 'Expand');
  });

  for (const { name, build } of [
    { name: 'x + 0', build: () => g.add(x, 0) },
    { name: '0 + x', build: () => g.add(0, x) },
    { name: 'x − 0', build: () => g.sub(x, 0) },
    { name: 'x · 1', build: () => g.mul(x, 1) },
    { name: '1 · x', build: () => g.mul(1, x) },
    { name: 'x / 1', build: () => g.div(x, 1) },
    { name: '−(−x)', build: () => g.neg(g.neg(x)) },
    { name: 'x transposed twice', build: () => g.transposeLast(g.transposeLast(x)) },
    { name: 'x transposed by nothing', build: () => g.transpose(x, [0, 1]) },
    { name: 'x reshaped there and back', build: () => g.reshape(g.reshape(x, [6]), [2, 3]) },
  ]) {
    it(`drops ${name}`, () => assert.equal(simplified(build()), x));
  }

  for (const { name, build } of [
    { name: '0 − x', build: () => g.sub(0, x) },
    { name: '1 / x', build: () => g.div(1, x) },
    { name: 'x + 1', build: () => g.add(x, 1) },
    { name: 'x · 0', build: () => g.mul(x, 0) },
    {
      name: 'a sum with a zero that widens it',
      build: () => g.add(x, g.constant(new Float32Array(12), [2, 2, 3])),
    },
  ]) {
    it(`keeps ${name}`, () => assert.notEqual(simplified(build()), x));
  }

  it('drops transpositions that undo each other, and no others', () => {
    const cube = g.input('cube', [2, 3, 4]);
    const feeds = { cube: Float32Array.from({ length: 24 }, (_, index) => index) };
    const perms = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    let dropped = 0;
    for (const first of perms) {
      for (const second of perms) {
        const turned = g.transpose(g.transpose(cube, first), second);
        const simple = simplified(turned);
        assert.deepEqual(simple.shape, turned.shape);
        assert.deepEqual(g.evaluate([simple], feeds), g.evaluate([turned], feeds));
        if (simple === cube) dropped++;
      }
    }
    assert.equal(dropped, perms.length);
  });

  it('forgets what no result needs', () => {
    const needed = g.tanh(x);
    g.exp(needed);
    const results = g.simplify([g.add(needed, 0)]);
    assert.deepEqual(
      g.topologicalOrder(results).map(({ op }) => op),
      ['Input', 'Tanh'],
    );
  });

  it('scales a product by rows to the same value wherever it does so', () => {
    const [column, wide] = [g.input('column', [2, 1]), g.input('wide', [3, 5])];
    const narrow = g.input('narrow', [3, 1]);
    const feeds = {
      x: uniform(1, 6),
      column: uniform(2, 2),
      wide: uniform(3, 15),
      narrow: uniform(4, 3),
    };
    const scaled = g.mul(x, column);
    for (const product of [
      g.gemm(scaled, wide),
      g.gemm(scaled, narrow),
      g.gemm(g.mul(column, x), narrow),
      g.gemm(scaled, g.reshape(narrow, [1, 3]), { transB: true }),
      g.gemm(g.mul(g.reshape(narrow, [3, 1]), g.reshape(narrow, [3, 1])), column, {
        transB: true,
      }),
      g.gemm(scaled, column, { transA: true }),
    ]) {
      const [expected, found] = g.evaluate([product, simplified(product)], feeds);
      assertClose(found!, expected!, 1e-12);
    }
  });

  it('changes no value of 60 random graphs, never adds a node, and is done after one pass', () => {
    let removed = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { results, feeds } = randomGraph(seed);
      const simple = g.simplify(results);
      g.evaluate(simple, feeds).forEach((values, index) => {
        const [expected] = g.evaluate([results[index]!], feeds);
        const largest = Math.max(1, ...expected!.map(Math.abs));
        // Folded constants are rounded to float32, everything else is the same float64 sum.
        assertClose(values, expected!, 2e-6 * largest, `seed ${seed}, result ${index}`);
        assert.deepEqual(simple[index]!.shape, results[index]!.shape);
        assert.equal(simple[index]!.type, results[index]!.type);
      });
      const [before, after] = [count(results), count(simple)];
      assert.ok(after <= before, `seed ${seed}: ${before} nodes became ${after}`);
      removed += before - after;
      assert.equal(count(g.simplify(simple)), after, `seed ${seed}: a second pass finds more`);
    }
    assert.ok(removed > 60 * 4, `only ${removed} nodes removed: the graphs test too little`);
  });
});

describe('simplifyProgram', () => {
  it('keeps names, order and inputs, and shares between outputs and state', () => {
    const state = g.input('state', [2, 3]);
    const next = (): g.Tensor => g.add(g.mul(state, 1), g.exp(x));
    const program = g.simplifyProgram({
      feeds: [x],
      frozen: [],
      state: [{ input: state, next: next() }],
      outputs: { zeta: g.add(x, 0), alpha: next() },
    });
    assert.deepEqual(Object.keys(program.outputs), ['zeta', 'alpha']);
    assert.equal(program.outputs['zeta'], x);
    assert.equal(program.state[0]!.input, state);
    assert.equal(program.state[0]!.next, program.outputs['alpha']);
    assert.deepEqual(program.feeds, [x]);
  });
});
