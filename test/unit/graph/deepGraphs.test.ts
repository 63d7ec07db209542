import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { decodeModel } from '../../../src/graph/onnx/schema';

const depth = 20_000;

/** x · 1.00001 + 0.5 again and again: far deeper than the call stack. */
function deepChain(): { x: g.Tensor; y: g.Tensor } {
  const x = g.input('x', []);
  let y = x;
  for (let link = 0; link < depth / 2; link++)
    y = g.add(g.mul(y, g.scalar(1.00001)), g.scalar(0.5));
  return { x, y };
}

describe(`a chain of ${depth} nodes`, () => {
  const { x, y } = deepChain();
  const slope = Math.fround(1.00001) ** (depth / 2);

  it('is ordered, counted and evaluated', () => {
    assert.equal(g.topologicalOrder([y]).length, 2 * depth + 1);
    assert.equal(g.countFlops([y]).other, depth);
    assert.ok(g.peakBytes([y]) > 4 * depth);
    const at = (value: number): number => g.evaluate([y], { x: Float32Array.of(value) })[0]![0]!;
    assert.ok(Math.abs(at(1) - at(0) - slope) < 1e-6);
  });

  it('is differentiated', () => {
    const [gradient] = g.gradients(y, [x]);
    const [value] = g.evaluate([gradient!], { x: Float32Array.of(0) });
    assert.ok(Math.abs(value![0]! - slope) < 1e-9);
  });

  it('is simplified', () => {
    const [simple] = g.simplify([y]) as [g.Tensor];
    // Every link stays, the two constants are shared.
    assert.equal(g.topologicalOrder([simple]).length, depth + 3);
  });

  it('is serialised', () => {
    const [simple] = g.simplify([y]) as [g.Tensor];
    const { bytes } = g.serializeProgram({
      feeds: [x],
      frozen: [],
      state: [],
      outputs: { y: simple },
    });
    assert.equal(decodeModel(bytes).graph.node.length, depth);
  });
});
