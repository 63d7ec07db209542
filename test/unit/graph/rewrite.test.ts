import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { rewrite } from '../../../src/graph/rewrite';
import { randomGraph } from './randomGraph';

const keep = (node: g.Node): readonly g.Tensor[] => node.outputs;

describe('rewrite', () => {
  it('leaves a graph that no rule changes exactly as it was', () => {
    const { results } = randomGraph(7);
    const same = rewrite(results, keep);
    same.forEach((result, index) => assert.equal(result, results[index]));
  });

  it('visits every needed node once, operands first', () => {
    const { results } = randomGraph(8);
    const seen = new Set<g.Node>();
    rewrite(results, node => {
      assert.ok(!seen.has(node));
      for (const input of node.inputs) assert.ok(seen.has(input.node));
      seen.add(node);
      return node.outputs;
    });
    assert.deepEqual([...seen], g.topologicalOrder(results));
  });

  it('rebuilds only what lies above a change', () => {
    const x = g.input('x', [2]);
    const untouched = g.exp(x);
    const changed = g.tanh(x);
    const [sum] = rewrite([g.add(untouched, g.neg(changed))], node =>
      node.op === 'Tanh' ? g.sigmoid(node.inputs[0]!).node.outputs : node.outputs,
    ) as [g.Tensor];
    assert.equal(sum.node.inputs[0], untouched);
    assert.equal(sum.node.inputs[1]!.node.op, 'Neg');
    assert.equal(sum.node.inputs[1]!.node.inputs[0]!.node.op, 'Sigmoid');
  });

  it('follows each output of a node that has several', () => {
    const x = g.input('x', [4]);
    const [first, second] = g.split(g.neg(x), 0, [1, 3]) as [g.Tensor, g.Tensor];
    const [result] = rewrite([g.concat([second, first], 0)], node =>
      node.op === 'Neg' ? g.exp(node.inputs[0]!).node.outputs : node.outputs,
    ) as [g.Tensor];
    assert.deepEqual(
      result.node.inputs.map(({ index }) => index),
      [1, 0],
    );
    const [value] = g.evaluate([result], { x: Float32Array.of(0, 0, 0, Math.log(2)) });
    assert.ok(Math.abs(value![2]! - 2) < 1e-6);
  });

  it('refuses a rule that loses an output somebody reads', () => {
    const x = g.input('x', [4]);
    const pieces = g.split(x, 0, [1, 3]);
    assert.throws(
      () =>
        rewrite([g.neg(pieces[1]!)], node =>
          node.op === 'Split' ? [node.outputs[0]!] : node.outputs,
        ),
      /without output 1/,
    );
  });
});
