import type { ModuleKind } from '../architecture';
import { concat, gemm, reshape, split, transpose, type Tensor } from '../graph';

/** Kinds of module whose weights are matrices, in the order of their blocks in the tensor. */
export const matrixKinds = ['q', 'k', 'v', 'o', 'fc1', 'fc2'] as const;
export type MatrixKind = (typeof matrixKinds)[number];

/** True for kinds whose weights are matrices. */
export const isMatrix = (kind: ModuleKind): kind is MatrixKind =>
  (matrixKinds as readonly ModuleKind[]).includes(kind);

/** Blocks of D × D in a matrix of a kind, where a feed-forward matrix has `ffn` of them. */
export const blockCount = (kind: MatrixKind, ffn: number): number =>
  kind === 'fc1' || kind === 'fc2' ? ffn : 1;

/** Where a kind's blocks lie among all blocks of a layer. */
export function blockRange(kind: MatrixKind, ffn: number): { first: number; count: number } {
  const before = matrixKinds.slice(0, matrixKinds.indexOf(kind));
  const first = before.reduce((sum, earlier) => sum + blockCount(earlier, ffn), 0);
  return { first, count: blockCount(kind, ffn) };
}

/** Sizes of the small model's tensor. */
export interface TensorSizes {
  readonly layers: number;
  /** D, of which a block is `[D, D]`. */
  readonly hidden: number;
  /** Blocks in a feed-forward matrix: in fc1 one below the other, in fc2 side by side. */
  readonly ffn: number;
}

/** All matrices as one tensor, `[B, L · D · D]`, of stacks `[L, out · in]` of each kind. */
export function weightTensor(stackOf: (kind: MatrixKind) => Tensor, sizes: TensorSizes): Tensor {
  const { layers, hidden, ffn } = sizes;
  const square = hidden * hidden;
  const parts = matrixKinds.map(kind => {
    const count = blockCount(kind, ffn);
    const whole =
      kind === 'fc2'
        ? transpose(reshape(stackOf(kind), [layers, hidden, ffn, hidden]), [2, 0, 1, 3])
        : transpose(reshape(stackOf(kind), [layers, count, square]), [1, 0, 2]);
    return reshape(whole, [count, layers * square]);
  });
  return concat(parts, 0);
}

/**
 * Large blocks `[L2, n · D · D]` of the tensor: S_B `[n, B]` blends blocks, S_L `[L2, L1]` layers.
 * The rest of the map, S_O and S_I, widens each block.
 */
export function blendBlocks(
  tensor: Tensor,
  blocks: Tensor,
  layerRows: Tensor,
  { layers, hidden }: TensorSizes,
): Tensor {
  const count = blocks.shape[0]!;
  const square = hidden * hidden;
  const blended = reshape(gemm(blocks, tensor), [count, layers, square]);
  return gemm(layerRows, reshape(transpose(blended, [1, 0, 2]), [layers, count * square]));
}

/** A kind's blocks `[L, n · D · D]` as a stack of its matrices, `[L, out · in]`. */
export function matricesOf(kind: MatrixKind, blocks: Tensor, { hidden, ffn }: TensorSizes): Tensor {
  if (kind !== 'fc2') return blocks;
  const layers = blocks.shape[0]!;
  const sideBySide = transpose(reshape(blocks, [layers, ffn, hidden, hidden]), [0, 2, 1, 3]);
  return reshape(sideBySide, [layers, hidden * ffn * hidden]);
}

/** All kinds' matrices in all large layers, stacks `[L2, out · in]` of those `[L1, out · in]`. */
export function blendMatrices(
  stackOf: (kind: MatrixKind) => Tensor,
  blocks: Tensor,
  layerRows: Tensor,
  sizes: TensorSizes,
): ReadonlyMap<MatrixKind, Tensor> {
  const blended = blendBlocks(weightTensor(stackOf, sizes), blocks, layerRows, sizes);
  const counts = matrixKinds.map(kind => blockCount(kind, sizes.ffn) * sizes.hidden ** 2);
  const parts = split(blended, 1, counts);
  return new Map(matrixKinds.map((kind, index) => [kind, matricesOf(kind, parts[index]!, sizes)]));
}
