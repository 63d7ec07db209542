import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activation } from '../../../src/architecture';
import { constant, evaluate } from '../../../src/graph';
import { assertClose } from '../../support/close';

const points = Float32Array.of(-6, -2.5, -1, -0.3, 0, 0.2, 1, 3, 7);

/** The error function by its Taylor series, exact enough on these points. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 100; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const exactGelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
const tanhGelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const formulas: Record<string, (x: number) => number> = {
  gelu: exactGelu,
  gelu_python: exactGelu,
  gelu_new: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  gelu_fast: x => 0.5 * x * (1 + Math.tanh(x * 0.7978845608 * (1 + 0.044715 * x * x))),
  quick_gelu: x => x * sigmoid(1.702 * x),
  relu: x => Math.max(x, 0),
  silu: x => x * sigmoid(x),
  swish: x => x * sigmoid(x),
  tanh: Math.tanh,
};

for (const [name, formula] of Object.entries(formulas)) {
  test(`${name} follows its formula`, () => {
    const [values] = evaluate([activation(name)(constant(points))], {});
    assertClose(values!, Array.from(points, formula), 1e-6, name);
    assert.equal(values!.length, points.length);
  });
}
