import { headSizeOf, keyValueHeadsOf, type Architecture } from '../../architecture';
import type { BatchShape } from '../../training';

/** Sizes of a transformer as the paper's convention reads them. */
export interface CountedSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  /** Units of all queries, and of all keys or all values; each as many as hidden ones where absent. */
  readonly queries?: number;
  readonly keys?: number;
  /** Matrices of a feed-forward block. Default 2; a gated one has 3. */
  readonly feedForwardMatrices?: number;
  /** Tokens or patches that attend to each other. */
  readonly sequence: number;
  /** Values an input token is looked up among (its one-hot vector), or pixels of a patch. */
  readonly inputs: number;
  /** Classes that are told apart. */
  readonly outputs: number;
  /** Share of the sequence that has a target. */
  readonly outputShare: number;
}

/** What LiGO builds the large weights of. */
export interface CountedGrowth {
  readonly layers: number;
  readonly hidden: number;
}

/** Masked tokens of a sequence as the convention counts them: 20 of 128. */
export const maskedShare = 0.15625;

/** Forward FLOPs of one token in one layer; matrix products count two a pair, GELU 8, a softmax entry 5. */
function layerFlops(sizes: CountedSizes): number {
  const { hidden: h, intermediate: f, sequence: s, heads } = sizes;
  const { queries = h, keys = h, feedForwardMatrices = 2 } = sizes;
  const products = 4 * h * (queries + keys) + 2 * feedForwardMatrices * h * f + 4 * queries * s;
  const scores = 10 * s * heads;
  const vectors = 20 * h + 9 * f + 5;
  return products + scores + vectors;
}

/** Forward FLOPs of one token at the input: a dense product with its one-hot vector, positions, norm. */
const inputFlops = ({ hidden: h, inputs, sequence: s }: CountedSizes): number =>
  2 * h * inputs + 2 * h * s + 15 * h;

/** Forward FLOPs of one target: a hidden layer, the scores, their softmax. */
const outputFlops = ({ hidden: h, outputs }: CountedSizes): number =>
  2 * h * outputs + 2 * h * h + 14 * h + 7 * outputs;

/** FLOPs of building one large layer's weights by LiGO's operators, which the convention charges to every sequence. */
function constructionFlops(
  { hidden: h, intermediate: f }: CountedSizes,
  { layers, hidden: small }: CountedGrowth,
): number {
  const blending = layers * (4 * h * h + 4 * h * f + 8 * h + f);
  const widening =
    (h - small) * (8 * small ** 2 + 4 * small * f + 2 * f * h + 4 * small + 2 * h + f);
  return blending + widening;
}

/**
 * FLOPs of one training step by the convention of the paper: ELECTRA's count (Clark et al. 2020), in
 * which the backward pass costs as much as the forward pass, so that its figures are two thirds of
 * what is computed; with `growth`, the LiGO authors' addition for learning operators.
 */
export function paperFlopsPerStep(
  sizes: CountedSizes,
  batchSize: number,
  growth?: CountedGrowth,
): number {
  const { layers, sequence, outputShare } = sizes;
  const construction = growth ? constructionFlops(sizes, growth) : 0;
  const forward =
    layers * (sequence * layerFlops(sizes) + construction) +
    sequence * (inputFlops(sizes) + outputShare * outputFlops(sizes));
  return 2 * batchSize * forward;
}

/**
 * An architecture's sizes for the count. The convention was made for masked language models; that a
 * causal model has a target at every token, and a classifier one for all its patches or words, is ours.
 */
export function countedSizes(
  { objective, dimensions, parameters, spaceSizes, accepts }: Architecture,
  { sequenceLength }: BatchShape,
): CountedSizes {
  const common = {
    layers: dimensions.numHiddenLayers,
    hidden: dimensions.hiddenSize,
    intermediate: dimensions.intermediateSize,
    heads: dimensions.numAttentionHeads,
    queries: dimensions.numAttentionHeads * headSizeOf(dimensions),
    keys: keyValueHeadsOf(dimensions) * headSizeOf(dimensions),
    feedForwardMatrices: parameters.some(({ kind }) => kind === 'gate') ? 3 : 2,
  };
  if (accepts.kind === 'images') {
    const { sequenceLength: sequence } = accepts;
    const outputs = spaceSizes.get('class') ?? 0;
    const inputs = spaceSizes.get('pixel')!;
    return { ...common, sequence, inputs, outputs, outputShare: 1 / sequence };
  }
  const vocabulary = spaceSizes.get('vocabulary')!;
  const labelled = { 'sequence-classification': 1 / sequenceLength, 'token-classification': 1 };
  if (objective in labelled) {
    return {
      ...common,
      sequence: sequenceLength,
      inputs: vocabulary,
      outputs: spaceSizes.get('class') ?? 0,
      outputShare: labelled[objective as keyof typeof labelled],
    };
  }
  const outputShare = objective === 'causal-language-modeling' ? 1 : maskedShare;
  return {
    ...common,
    sequence: sequenceLength,
    inputs: vocabulary,
    outputs: vocabulary,
    outputShare,
  };
}
