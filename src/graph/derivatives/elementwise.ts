import { add, div, erf, exp, firstInput, mul, neg, sign, sub, tanh } from './shorthand';
import { onlyGradient, sumTo, type Derivative } from './rule';
import { firstOutput, type Node, type Operator, type Tensor } from '../tensor';

const unary =
  (gradient: (g: Tensor, x: Tensor, y: Tensor, node: Node) => Tensor): Derivative =>
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

/** d/dx of x Φ(x), with Φ the normal distribution: Φ(x) + x φ(x). */
function geluDerivative(x: Tensor): Tensor {
  const u = mul(x, Math.SQRT1_2);
  const density = exp(sub(Math.log(Math.sqrt(2 / Math.PI)), mul(u, u)));
  return mul(add(add(mul(x, density), erf(u)), 1), 0.5);
}

/** d/dx of ½ x (1 + tanh t), t = √(2/π) (x + 0.044715 x³). */
function tanhGeluDerivative(x: Tensor): Tensor {
  const scale = Math.sqrt(2 / Math.PI);
  const square = mul(x, x);
  const t = tanh(mul(x, add(mul(square, 0.044715 * scale), scale)));
  const inner = add(mul(square, 3 * 0.044715 * scale), scale);
  const slope = mul(mul(x, sub(1, mul(t, t))), inner);
  return mul(add(add(t, 1), slope), 0.5);
}

/** Derivatives of the elementwise operators. */
export const elementwiseDerivatives: Partial<Record<Operator, Derivative>> = {
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
  Gelu: unary((g, x, _, node) =>
    mul(g, node.attributes.approximate === 'tanh' ? tanhGeluDerivative(x) : geluDerivative(x)),
  ),
};
