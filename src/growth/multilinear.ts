import { UnsupportedError } from '../errors';
import type { Parameter, SpaceRole } from '../architecture';
import {
  depthName,
  operatorsOf,
  spaceSizes,
  type Growth,
  type Operator,
  type OperatorValues,
} from './operators';
import type { Refusal } from './target';
import {
  blockCount,
  isMatrix,
  matrixKinds,
  type MatrixKind,
  type TensorSizes,
} from './weightTensor';

/**
 * Mango's operator (Pan et al. 2023, arXiv 2310.10699): the matrices of all layers are one tensor
 * W1[b, i, o, l] of blocks D1 × D1, and the large model's are a linear map of all of it, factorised into
 * S_B, S_O, S_L and S_I in a ring. Here its rank is 1, so that
 *
 *   W2[b', i', o', l'] = Σ S_B[b', b] · S_O[o', o] · S_L[l', l] · S_I[i', i] · W1[b, i, o, l]
 *
 * S_O and S_I are [I; M] as LiGO's width operators; only M is learned.
 */
export const multilinearNames = {
  /** M of S_O `[D2 − D1, D1]`: new outputs of matrices, and of all else that writes units. */
  outputs: 'width.out',
  /** M of S_I `[D2 − D1, D1]`: new inputs of matrices. */
  inputs: 'width.in',
  /** S_B `[B, B]`: large blocks of small ones, over all kinds of module. Learned at the rate of width. */
  blocks: 'width.blocks',
  /** S_L `[L2, L1]`: large layers of small ones, the same in all kinds. */
  layers: 'depth.layers',
} as const;

/** Operators of LiGO's that the four factors stand for. */
const replacedRoles: ReadonlySet<SpaceRole> = new Set<SpaceRole>([
  'residual',
  'query',
  'key',
  'value',
  'ffn',
]);
const replacedDepth = new Set(matrixKinds.map(kind => depthName(kind, 'weight')));

/** Every operator that Mango learns; what lies outside the tensor grows as in LiGO. */
export function multilinearOperators(growth: Growth): Operator[] {
  const [refusal] = multilinearRefusals(growth);
  if (refusal) throw new UnsupportedError(refusal.reason, refusal.remedy);
  const { small, large } = spaceSizes(growth, 'residual');
  const { layers, ffn } = tensorSizes(growth);
  const blocks = matrixKinds.reduce((sum, kind) => sum + blockCount(kind, ffn), 0);
  const { numHiddenLayers } = growth.target.dimensions;
  const shape = [large - small, small] as const;
  // Outputs are units of the residual stream too.
  const width: Operator[] = [
    { name: multilinearNames.outputs, group: 'width', shape, role: 'residual' },
    { name: multilinearNames.inputs, group: 'width', shape },
  ];
  return [
    ...(large > small ? width : []),
    { name: multilinearNames.blocks, group: 'width', shape: [blocks, blocks] },
    { name: multilinearNames.layers, group: 'depth', shape: [numHiddenLayers, layers] },
    ...operatorsOf(growth).filter(
      ({ name, role }) =>
        !(role !== undefined && replacedRoles.has(role)) && !replacedDepth.has(name),
    ),
  ];
}

/** Why matrices cannot be cut into blocks; empty when they can. */
export function multilinearRefusals({ source, target }: Growth): Refusal[] {
  const others = source.parameters.find(({ kind, module, part, spaces }) => {
    const isMatrixOfLayer = kind !== undefined && module === 'linear' && part === 'weight';
    return isMatrixOfLayer && (!isMatrix(kind) || spaces.some(({ spread }) => spread));
  });
  if (others) {
    return [
      {
        reason: `mango cuts the matrices of a layer into square blocks, and those of ${source.modelClass} are others (${others.id}): gated units, or heads that are rotated, share keys and values, or talk to each other.`,
        remedy: 'Grow this model by another method, such as ligo.',
      },
    ];
  }
  const [from, to] = [source.dimensions, target.dimensions];
  const blocks = from.intermediateSize / from.hiddenSize;
  if (!Number.isInteger(blocks)) {
    return [
      {
        reason: `mango cuts feed-forward matrices into square blocks, and ${from.intermediateSize} feed-forward units are no multiple of ${from.hiddenSize} hidden units.`,
        remedy: 'Grow this model by another method, such as ligo.',
      },
    ];
  }
  if (to.intermediateSize === blocks * to.hiddenSize) return [];
  return [
    {
      reason: `mango keeps the ${blocks} blocks of a feed-forward matrix, so ${to.hiddenSize} hidden units come with ${blocks * to.hiddenSize} feed-forward units, not ${to.intermediateSize}.`,
      remedy: `Ask for ${blocks * to.hiddenSize} feed-forward units, or grow by another method, such as ligo.`,
    },
  ];
}

/** Which kind of the tensor's matrices a parameter is; undefined for all that lies outside it. */
export const tensorKind = ({ kind, part }: Parameter): MatrixKind | undefined =>
  kind !== undefined && isMatrix(kind) && part === 'weight' ? kind : undefined;

/** Sizes of the small model's tensor. */
export const tensorSizes = ({ source: { dimensions } }: Growth): TensorSizes => ({
  layers: dimensions.numHiddenLayers,
  hidden: dimensions.hiddenSize,
  ffn: dimensions.intermediateSize / dimensions.hiddenSize,
});

/**
 * Where Mango starts: every block is made of itself and A = B, which is LiGO with the same operators
 * in all spaces and module kinds. Takes the start of all others as LiGO's operators have it.
 */
export function multilinearStart(growth: Growth, started: OperatorValues): OperatorValues {
  const operators = multilinearOperators(growth);
  const [size] = operators.find(({ name }) => name === multilinearNames.blocks)!.shape;
  const identity = new Float32Array(size * size);
  for (let block = 0; block < size; block++) identity[block * size + block] = 1;
  const written = started[multilinearNames.outputs];
  return {
    ...started,
    [multilinearNames.blocks]: identity,
    ...(written && { [multilinearNames.inputs]: written.slice() }),
  };
}
