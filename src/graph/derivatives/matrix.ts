import { gemm, matMul, transposeLast } from './shorthand';
import { onlyGradient, sumTo, type Derivative, type Derivatives } from './rule';
import type { Tensor } from '../tensor';

const gemmDerivative: Derivative<'Gemm'> = ({ inputs, attributes }, gradients, needed) => {
  const [a, b] = inputs as readonly [Tensor, Tensor];
  const { transA, transB } = attributes;
  const g = onlyGradient(gradients);
  const gradientOfA = (): Tensor =>
    transA ? gemm(b, g, { transA: transB, transB: true }) : gemm(g, b, { transB: !transB });
  const gradientOfB = (): Tensor =>
    transB ? gemm(g, a, { transA: true, transB: transA }) : gemm(a, g, { transA: !transA });
  return [needed[0] ? gradientOfA() : undefined, needed[1] ? gradientOfB() : undefined];
};

const matMulDerivative: Derivative = ({ inputs }, gradients, needed) => {
  const [a, b] = inputs as readonly [Tensor, Tensor];
  const g = onlyGradient(gradients);
  return [
    needed[0] ? sumTo(matMul(g, transposeLast(b)), a) : undefined,
    needed[1] ? sumTo(matMul(transposeLast(a), g), b) : undefined,
  ];
};

/** Derivatives of the matrix products. */
export const matrixDerivatives: Derivatives = {
  Gemm: gemmDerivative,
  MatMul: matMulDerivative,
};
