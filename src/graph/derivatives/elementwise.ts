import { add, div, erf, exp, firstInput, mul, neg, sign, sub, tanh } from './shorthand';
import { onlyGradient, sumTo, type Derivative, type Derivatives } from './rule';
import { firstOutput, type NodeOf, type Operator, type Tensor } from '../tensor';

const unary =
  <Op extends Operator>(
    gradient: (g: Tensor, x: Tensor, y: Tensor, node: NodeOf<Op>) => Tensor,
  ): Derivative<Op> =>
  (node, gradients) => [
    gradient(onlyGradient(gradients), firstInput(node), firstOutput(node), node),
  ];

const binary =
  (
    left: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor,
    right: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor,
  ): Derivative =>
  (node, gradients, needed) => {
    const [a, b] = node.inputs as readonly [Tensor, Tensor];
    const g = onlyGradient(gradients);
    const y = firstOutput(node);
    return [
      needed[0] ? sumTo(left(g, a, b, y), a) : undefined,
      needed[1] ? sumTo(right(g, a, b, y), b) : undefined,
    ];
  };

/** The two parts of a GELU x · gate(x): the gate and its slope. */
interface GeluParts {
  readonly gate: Tensor;
  readonly slope: Tensor;
}

/** The gate is Φ, the normal distribution: slope φ. */
function exactGelu(x: Tensor): GeluParts {
  const u = mul(x, Math.SQRT1_2);
  const gate = mul(add(erf(u), 1), 0.5);
  return { gate, slope: exp(sub(-0.5 * Math.log(2 * Math.PI), mul(u, u))) };
}

/** The gate is ½ (1 + tanh t), t = √(2/π) (x + 0.044715 x³). */
function tanhGelu(x: Tensor): GeluParts {
  const scale = Math.sqrt(2 / Math.PI);
  const square = mul(x, x);
  const t = tanh(mul(x, add(mul(square, 0.044715 * scale), scale)));
  const inner = add(mul(square, 1.5 * 0.044715 * scale), 0.5 * scale);
  return { gate: mul(add(t, 1), 0.5), slope: mul(sub(1, mul(t, t)), inner) };
}

function geluParts(node: NodeOf<'Gelu'>): GeluParts {
  const x = firstInput(node);
  return node.attributes.approximate === 'tanh' ? tanhGelu(x) : exactGelu(x);
}

/**
 * GELU's output from parts its derivative computes anyway: one product in the backward pass instead
 * of keeping the largest activation of every layer.
 */
export function recomputedGelu(node: NodeOf<'Gelu'>): Tensor {
  return mul(firstInput(node), geluParts(node).gate);
}

/** Derivatives of the elementwise operators. */
export const elementwiseDerivatives: Derivatives = {
  Add: binary(
    g => g,
    g => g,
  ),
  Sub: binary(
    g => g,
    g => neg(g),
  ),
  Mul: binary(
    (g, _, b) => mul(g, b),
    (g, a) => mul(g, a),
  ),
  Div: binary(
    (g, _, b) => div(g, b),
    (g, _, b, y) => neg(div(mul(g, y), b)),
  ),
  Neg: unary(g => neg(g)),
  Reciprocal: unary((g, _, y) => neg(mul(g, mul(y, y)))),
  Sqrt: unary((g, _, y) => div(mul(g, 0.5), y)),
  Exp: unary((g, _, y) => mul(g, y)),
  Log: unary((g, x) => div(g, x)),
  Erf: unary((g, x) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))),
  Tanh: unary((g, _, y) => mul(g, sub(1, mul(y, y)))),
  Sigmoid: unary((g, _, y) => mul(g, mul(y, sub(1, y)))),
  Relu: unary((g, _, y) => mul(g, sign(y))),
  Gelu: unary<'Gelu'>((g, x, _, node) => {
    const { gate, slope } = geluParts(node);
    return mul(g, add(gate, mul(x, slope)));
  }),
};
