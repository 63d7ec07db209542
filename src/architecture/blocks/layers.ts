import { add, type Tensor } from '../../graph';
import type { Weights } from '../weights';
import { attention, type AttentionSizes, type Rotation } from './attention';
import type { FeedForward } from './feedForward';
import { linear } from './linear';
import type { Norm } from './norms';
import { setRowsApart, type PartialLayers, type RowSelection } from './partialLayers';

/** What all layers of one forward pass have in common. */
export interface LayerSettings extends AttentionSizes {
  readonly norm: Norm;
  readonly feedForward: FeedForward;
  /** Whether heads of queries and keys are normalised, each by itself. */
  readonly normsHeads?: boolean;
  /** Added to the attention scores. */
  readonly mask?: Tensor;
  /** Of queries and keys, by where their tokens stand. */
  readonly rotate?: Rotation;
}

function selfAttention(
  weights: Weights,
  layer: string,
  x: Tensor,
  { mask, rotate, ...settings }: LayerSettings,
): Tensor {
  const modules = ['q', 'k', 'v'].map(kind => `${layer}.${kind}`);
  const [queries, keys, values] = weights.linear(x, modules) as [Tensor, Tensor, Tensor];
  const { norm, normsHeads = false } = settings;
  /** Heads of queries or keys as their products see them. */
  const turn =
    (kind: string): Rotation =>
    x => {
      const normalised = normsHeads ? norm(weights, `${layer}.${kind}`, x) : x;
      return rotate ? rotate(normalised) : normalised;
    };
  const mixed = attention(queries, keys, values, settings, {
    queries: turn('qNorm'),
    keys: turn('kNorm'),
    ...(mask && { mask }),
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

/** A layer that normalises what each branch reads, as GPT-2's, ViT's and Llama's. */
export const preNormLayer: Layer = (weights, index, x, settings) => {
  const layer = `layers.${index}`;
  const { norm, feedForward } = settings;
  const middle = add(x, selfAttention(weights, layer, norm(weights, `${layer}.ln1`, x), settings));
  return add(middle, feedForward(weights, layer, norm(weights, `${layer}.ln2`, middle)));
};

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
  /** The mask for so many tokens a sequence, added to the attention scores. */
  readonly mask?: (sequenceLength: number) => Tensor;
  /** The rotation of tokens that stand where selections, each of those before it, put them. */
  readonly rotate?: (selections: readonly RowSelection[]) => Rotation;
  /** Whether a layer rotates at all. Default true. */
  readonly rotates?: (layer: number) => boolean;
  readonly partial?: PartialLayers;
}

/** The input of every computed layer and the output of the last: one tensor more than layers. */
export function runLayers(
  layer: Layer,
  weights: Weights,
  input: Tensor,
  { numHiddenLayers, mask, rotate, rotates, partial = {}, ...common }: StackSettings,
): Tensor[] {
  const { count = numHiddenLayers, tokens, sequences } = partial;
  const over = (
    sizes: Pick<AttentionSizes, 'batchSize' | 'sequenceLength'>,
    selections: readonly RowSelection[] = [],
  ): LayerSettings => ({
    ...common,
    ...sizes,
    ...(mask && { mask: mask(sizes.sequenceLength) }),
    ...(rotate && { rotate: rotate(selections) }),
  });
  const compute = (index: number, x: Tensor, whole: LayerSettings): Tensor => {
    const { rotate: turn, ...unturned } = whole;
    const turns = turn !== undefined && (rotates?.(index) ?? true);
    const settings = turns ? whole : unturned;
    const rows = sequences?.get(index);
    if (!rows) return layer(weights, index, x, settings);
    const { computed, restore } = setRowsApart(x, rows);
    const { batchSize } = rows;
    const isAmongTokens = tokens && index >= tokens.begin && index < tokens.end;
    // Whole sequences stand where they stood; of others each has its own tokens.
    const own = isAmongTokens && turns && rotate && { rotate: rotate([tokens.rows, rows]) };
    return restore(layer(weights, index, computed, { ...settings, ...own, batchSize }));
  };
  /** The outputs of layers `begin` … `end − 1`. */
  const run = (begin: number, end: number, x: Tensor, settings: LayerSettings): Tensor[] => {
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
