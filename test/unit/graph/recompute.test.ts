import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { uniform } from '../../support/random';

const [rows, width, inner, layers] = [64, 3, 24, 6];

/** Layers of x + gelu(x W) V, and every value between two of them. */
const network = (() => {
  const first = g.input('x', [rows, width]);
  const weights: g.Tensor[] = [];
  const states = [first];
  for (let layer = 0; layer < layers; layer++) {
    const w = g.input(`w.${layer}`, [width, inner]);
    const v = g.input(`v.${layer}`, [inner, width]);
    weights.push(w, v);
    const x = states.at(-1)!;
    states.push(g.add(x, g.gemm(g.tanh(g.gelu(g.gemm(x, w))), v)));
  }
  const last = states.at(-1)!;
  return { weights, states, loss: g.reduceSum(g.mul(last, last)) };
})();

const feeds = Object.fromEntries(
  [network.states[0]!, ...network.weights].map((tensor, index) => [
    g.inputName(tensor),
    uniform(index, g.elementCount(tensor.shape)),
  ]),
);

const gradients = (recomputeFrom: readonly g.Tensor[]): g.Tensor[] =>
  g.simplify(g.gradients(network.loss, network.weights, { recomputeFrom }));

describe('recomputed activations', () => {
  const kept = gradients([]);
  const recomputed = gradients(network.states);

  it('give the same gradients', () => {
    assert.deepEqual(g.evaluate(recomputed, feeds), g.evaluate(kept, feeds));
  });

  it('take less than half the memory, and each layer but its last product once more', () => {
    assert.ok(g.peakBytes(recomputed) < 0.5 * g.peakBytes(kept));
    const again = layers * 2 * rows * width * inner;
    assert.equal(g.countFlops(recomputed).matrix - g.countFlops(kept).matrix, again);
  });

  it('begin only when the layers above are through', () => {
    const order = g.topologicalOrder(recomputed);
    const position = new Map(order.map((node, index) => [node, index]));
    // The gradients of a layer's two weights stand before every copy of the layers below it.
    const ready = recomputed.map(({ node }) => position.get(node)!);
    for (let layer = 1; layer < layers; layer++) {
      const below = Math.min(ready[2 * layer - 2]!, ready[2 * layer - 1]!);
      assert.ok(Math.max(ready[2 * layer]!, ready[2 * layer + 1]!) < below, `layer ${layer}`);
    }
  });

  it('are none where a value is kept that the loss does not depend on', () => {
    const elsewhere = g.mul(network.states[0]!, 2);
    const results = gradients([elsewhere]);
    assert.equal(g.countFlops(results).matrix, g.countFlops(kept).matrix);
  });

  it('may begin and end anywhere', () => {
    const results = gradients([network.states[2]!, network.states[4]!]);
    assert.deepEqual(g.evaluate(results, feeds), g.evaluate(kept, feeds));
    const again = 2 * 2 * rows * width * inner + 2 * rows * width * inner;
    assert.equal(g.countFlops(results).matrix - g.countFlops(kept).matrix, again);
  });
});
