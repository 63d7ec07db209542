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

/** The network again, its weights blended of small ones: `blends` rows at a time are one product. */
const blendedNetwork = (perStack: number) => {
  const small = g.input('small', [2, width * inner]);
  const blend = g.input('blend', [2 * layers, 2]);
  const stacks = g.split(blend, 0, new Array<number>((2 * layers) / perStack).fill(perStack));
  const weights = stacks.flatMap(rows =>
    g.split(g.gemm(rows, small), 0, new Array<number>(perStack).fill(1)),
  );
  const states = [g.input('x', [rows, width])];
  for (let layer = 0; layer < layers; layer++) {
    const w = g.reshape(weights[2 * layer]!, [width, inner]);
    const v = g.reshape(weights[2 * layer + 1]!, [inner, width]);
    const x = states.at(-1)!;
    states.push(g.add(x, g.gemm(g.tanh(g.gelu(g.gemm(x, w))), v)));
  }
  const last = states.at(-1)!;
  return { trained: [blend, small], states, loss: g.reduceSum(g.mul(last, last)) };
};

describe('weights that are made of others', () => {
  const values = {
    x: uniform(0, rows * width),
    small: uniform(1, 2 * width * inner),
    blend: uniform(2, 4 * layers),
  };
  for (const perStack of [2, 4, 2 * layers]) {
    const { trained, states, loss } = blendedNetwork(perStack);
    const kept = g.simplify(g.gradients(loss, trained));
    const recomputed = g.simplify(g.gradients(loss, trained, { recomputeFrom: states }));

    it(`give the same gradients when they are made again, ${perStack} at a time`, () => {
      assert.deepEqual(g.evaluate(recomputed, values), g.evaluate(kept, values));
    });

    it(`are made once more, ${perStack} at a time, with the last layers that read them`, () => {
      const again = layers * 2 * rows * width * inner + 2 * layers * 2 * 2 * width * inner;
      assert.equal(g.countFlops(recomputed).matrix - g.countFlops(kept).matrix, again);
    });
  }

  it('are not all alive at once', () => {
    const { trained, states, loss } = blendedNetwork(2);
    const order = g.topologicalOrder(
      g.simplify(g.gradients(loss, trained, { recomputeFrom: states })),
    );
    const lastReader = new Map(
      order.flatMap((node, at) => node.inputs.map(read => [read.node, at])),
    );
    const small = trained[1]!.node;
    const made = order.flatMap((node, at) =>
      node.inputs[1]?.node === small && node.outputs[0]!.shape[1] === width * inner
        ? [{ from: at, to: lastReader.get(node)! }]
        : [],
    );
    assert.equal(made.length, 2 * layers);
    const most = Math.max(
      ...order.map((_, at) => made.filter(({ from, to }) => from <= at && at <= to).length),
    );
    assert.ok(most <= 2, `${most} stacks at once`);
  });
});
