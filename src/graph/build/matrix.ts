import { broadcastShapes } from '../shape';
import { createTensor, type Tensor } from '../tensor';

/**
 * Product of two matrices, either of them transposed on the way:
 * `[m, k] × [k, n] → [m, n]` after transposition. ONNX Gemm without its third input.
 */
export function gemm(
  a: Tensor,
  b: Tensor,
  { transA = false, transB = false }: { transA?: boolean; transB?: boolean } = {},
): Tensor {
  if (a.shape.length !== 2 || b.shape.length !== 2) throw new Error('Gemm takes two matrices');
  const [m, k] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const [k2, n] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
  if (k !== k2) {
    throw new Error(`Gemm of [${a.shape.join(', ')}] and [${b.shape.join(', ')}]: ${k} ≠ ${k2}`);
  }
  return createTensor('Gemm', [a, b], { transA, transB }, [m, n]);
}

/** Batched product `[…, m, k] × […, k, n] → […, m, n]`; leading axes broadcast. */
export function matMul(a: Tensor, b: Tensor): Tensor {
  const [m, k] = [a.shape.at(-2), a.shape.at(-1)];
  const [k2, n] = [b.shape.at(-2), b.shape.at(-1)];
  if (m === undefined || n === undefined || k === undefined || k !== k2) {
    throw new Error(`MatMul of [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`);
  }
  const leading = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return createTensor('MatMul', [a, b], {}, [...leading, m, n]);
}
