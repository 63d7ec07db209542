import { add, mul, reshape, transpose, type Tensor } from '../../graph';
import type { Weights } from '../weights';
import { attention, type AttentionSizes, type HeadMixing, type Rotation } from './attention';
import type { FeedForward } from './feedForward';
import { linear } from './linear';
import type { Norm } from './norms';
import { setRowsApart, type PartialLayers, type RowSelection } from './partialLayers';

/** How queries and keys are normalised: each head by itself, or all of them together. */
export type NormalisedHeads = 'each' | 'all';

/** What all layers of one forward pass have in common. */
export interface LayerSettings extends AttentionSizes {
  readonly norm: Norm;
  readonly feedForward: FeedForward;
  /** Whether queries and keys are normalised: each head by itself, or all of them together. */
  readonly normsHeads?: NormalisedHeads;
  /** Whether heads talk to each other, before the softmax and behind it. Default false. */
  readonly mixesHeads?: boolean;
  /** Whether the first layer's attention reads its input without a norm. Default false. */
  readonly firstReadsInput?: boolean;
  /** What branches give is multiplied by it, in layers that do not normalise sums. Default 1. */
  readonly branchScale?: number;
  /** Added to the attention scores. */
  readonly mask?: Tensor;
  /** Of queries and keys, by where their tokens stand. */
  readonly rotate?: Rotation;
}

/** What a linear module makes of the values of all heads: [batch, heads, query, key] → the same. */
const headMixing =
  (weights: Weights, module: string): HeadMixing =>
  x => {
    const [batchSize, heads, queries, keys] = x.shape as [number, number, number, number];
    const rows = reshape(transpose(x, [0, 2, 3, 1]), [batchSize * queries * keys, heads]);
    const mixed = reshape(linear(weights, module, rows), [batchSize, queries, keys, heads]);
    return transpose(mixed, [0, 3, 1, 2]);
  };

function selfAttention(
  weights: Weights,
  layer: string,
  x: Tensor,
  { mask, rotate, ...settings }: LayerSettings,
): Tensor {
  const modules = ['q', 'k', 'v'].map(kind => `${layer}.${kind}`);
  const [queries, keys, values] = weights.linear(x, modules) as [Tensor, Tensor, Tensor];
  const { norm, normsHeads, mixesHeads = false } = settings;
  const normalised = (of: NormalisedHeads, kind: string, x: Tensor): Tensor =>
    normsHeads === of ? norm(weights, `${layer}.${kind}`, x) : x;
  /** Heads of queries or keys as their products see them. */
  const turn =
    (kind: string): Rotation =>
    heads => {
      const found = normalised('each', kind, heads);
      return rotate ? rotate(found) : found;
    };
  const [asked, offered] = [normalised('all', 'qNorm', queries), normalised('all', 'kNorm', keys)];
  const mixed = attention(asked, offered, values, settings, {
    queries: turn('qNorm'),
    keys: turn('kNorm'),
    ...(mask && { mask }),
    ...(mixesHeads && {
      mixScores: headMixing(weights, `${layer}.mixScores`),
      mixWeights: headMixing(weights, `${layer}.mixWeights`),
    }),
  });
  return linear(weights, `${layer}.o`, mixed);
}

/** A layer by its number: x [n, hiddenSize] → the same. */
export type Layer = (weights: Weights, index: number, x: Tensor, settings: LayerSettings) => Tensor;

/** A layer that normalises after each residual sum, as BERT's. */
export const postNormLayer: Layer = (weights, index, x, settings) => {
  const layer = `layers.${index}`;
  const { norm, feedForward } = settings;
  const attended = add(x, selfAttention(weights, layer, x, settings));
  const middle = norm(weights, `${layer}.ln1`, attended);
  return norm(weights, `${layer}.ln2`, add(middle, feedForward(weights, layer, middle)));
};

/** What is done to what branches read and give. */
interface BranchEnds {
  /** Whether it is normalised. */
  readonly reads: boolean;
  readonly gives: 'normalised' | 'scaled' | 'as it is';
}

/** A layer that normalises what its branches read, what they give, or both, or scales what they give. */
const branchLayer =
  ({ reads, gives }: BranchEnds): Layer =>
  (weights, index, x, settings) => {
    const layer = `layers.${index}`;
    const { norm, feedForward, firstReadsInput = false, branchScale = 1 } = settings;
    const before = (branch: number, x: Tensor): Tensor => {
      const isPlain = !reads || (firstReadsInput && index === 0 && branch === 1);
      return isPlain ? x : norm(weights, `${layer}.ln${branch}`, x);
    };
    const after = (branch: number, x: Tensor): Tensor => {
      if (gives === 'normalised') return norm(weights, `${layer}.ln${branch}Out`, x);
      if (gives === 'scaled') return mul(x, weights.tensor(`${layer}.scale${branch}.weight`));
      return branchScale === 1 ? x : mul(x, branchScale);
    };
    const attended = selfAttention(weights, layer, before(1, x), settings);
    const middle = add(x, after(1, attended));
    const transformed = feedForward(weights, layer, before(2, middle));
    return add(middle, after(2, transformed));
  };

/** A layer that normalises what each branch reads, as GPT-2's, ViT's and Llama's. */
export const preNormLayer = branchLayer({ reads: true, gives: 'as it is' });

/** The same, with a factor for each unit of what a branch gives (Touvron et al. 2021), as DINOv2's. */
export const scaledLayer = branchLayer({ reads: true, gives: 'scaled' });

/** A layer that normalises what each branch reads and what it gives, as Gemma 2's. */
export const sandwichLayer = branchLayer({ reads: true, gives: 'normalised' });

/** A layer that normalises what each branch gives, as OLMo 2's. */
export const outputNormLayer = branchLayer({ reads: false, gives: 'normalised' });

/** A layer whose branches both read its input, as GPT-NeoX's. */
export const parallelLayer: Layer = (weights, index, x, settings) => {
  const layer = `layers.${index}`;
  const { norm, feedForward } = settings;
  const attended = selfAttention(weights, layer, norm(weights, `${layer}.ln1`, x), settings);
  const transformed = feedForward(weights, layer, norm(weights, `${layer}.ln2`, x));
  return add(add(x, attended), transformed);
};

/** What a stack of layers has in common, and what of it is computed. */
export interface StackSettings extends Omit<LayerSettings, 'mask' | 'rotate'> {
  /** Layers of the whole network. */
  readonly numHiddenLayers: number;
  /** The mask for so many tokens a sequence, added to each layer's attention scores. */
  readonly mask?: (sequenceLength: number) => OfLayer<Tensor | undefined>;
  /** Each layer's rotation of tokens that stand where selections, each of those before it, put them. */
  readonly rotate?: (selections: readonly RowSelection[]) => OfLayer<Rotation | undefined>;
  readonly partial?: PartialLayers;
}

/** What a layer has, by its number. */
export type OfLayer<T> = (layer: number) => T;

/** The input of every computed layer and the output of the last: one tensor more than layers. */
export function runLayers(
  layer: Layer,
  weights: Weights,
  input: Tensor,
  { numHiddenLayers, mask, rotate, partial = {}, ...common }: StackSettings,
): Tensor[] {
  const { count = numHiddenLayers, tokens, sequences } = partial;
  const over = (
    sizes: Pick<AttentionSizes, 'batchSize' | 'sequenceLength'>,
    selections: readonly RowSelection[] = [],
  ): OfLayer<LayerSettings> => {
    const [masks, rotations] = [mask?.(sizes.sequenceLength), rotate?.(selections)];
    return index => {
      const [seen, turn] = [masks?.(index), rotations?.(index)];
      return { ...common, ...sizes, ...(seen && { mask: seen }), ...(turn && { rotate: turn }) };
    };
  };
  const compute = (index: number, x: Tensor, settingsOf: OfLayer<LayerSettings>): Tensor => {
    const settings = settingsOf(index);
    const rows = sequences?.get(index);
    if (!rows) return layer(weights, index, x, settings);
    const { computed, restore } = setRowsApart(x, rows);
    const { batchSize } = rows;
    const isAmongTokens = tokens && index >= tokens.begin && index < tokens.end;
    // Whole sequences stand where they stood; of others each has its own tokens.
    const turn = isAmongTokens ? rotate?.([tokens.rows, rows])(index) : undefined;
    const own = turn && { rotate: turn };
    return restore(layer(weights, index, computed, { ...settings, ...own, batchSize }));
  };
  /** The outputs of layers `begin` … `end − 1`. */
  const run = (
    begin: number,
    end: number,
    x: Tensor,
    settings: OfLayer<LayerSettings>,
  ): Tensor[] => {
    const outputs: Tensor[] = [];
    for (let index = begin; index < end; index++) {
      outputs.push(compute(index, outputs.at(-1) ?? x, settings));
    }
    return outputs;
  };
  const whole = over(common);
  if (!tokens) return [input, ...run(0, count, input, whole)];
  const below = [input, ...run(0, tokens.begin, input, whole)];
  const { computed, restore } = setRowsApart(below.at(-1)!, tokens.rows);
  const middle = run(tokens.begin, tokens.end, computed, over(tokens.rows, [tokens.rows]));
  const restored = restore(middle.at(-1)!);
  return [...below, ...middle.slice(0, -1), restored, ...run(tokens.end, count, restored, whole)];
}
