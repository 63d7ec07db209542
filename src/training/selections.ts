import type { Architecture, LayerRange, RowSelection } from '../architecture';
import type { Batch } from '../data/batches';
import { permutation, randomGenerator, randomStreams, type RandomGenerator } from '../random';
import type { BatchShape } from './objective';

/** How much of a network training computes: whole numbers, so that a program's shapes are static. */
export interface PartialShape {
  /** Layers from the bottom that are computed. */
  readonly layers: number;
  /** Of each sequence, the tokens that pass the middle layers by. */
  readonly droppedTokens: number;
  /** By layer, the sequences of a batch that pass it by; 0 where absent. */
  readonly droppedSequences: readonly number[];
}

/**
 * The layers that leave tokens out: all but the first two and the last, as the released LiGO code
 * means it; of three layers the one between. Undefined for fewer.
 */
export const middleLayers = (layers: number): LayerRange | undefined =>
  layers < 3 ? undefined : { begin: Math.min(2, layers - 2), end: layers - 1 };

/** Rows that hidden states have for each sequence or image. */
export const rowsPerSequence = (
  { accepts }: Architecture,
  { sequenceLength }: Pick<BatchShape, 'sequenceLength'>,
): number => (accepts.kind === 'images' ? accepts.sequenceLength : sequenceLength);

/** Rows that are drawn anew for every batch. */
export interface Selection {
  /** What its inputs are called after. */
  readonly name: string;
  /** Tokens a sequence before. */
  readonly sequenceLength: number;
  /** Sequences, and tokens a sequence, that are computed. */
  readonly computed: Pick<RowSelection, 'batchSize' | 'sequenceLength'>;
  /** The random stream it is drawn from, without the batch's number. */
  readonly stream: readonly number[];
  /** By sequence, the tokens that are computed, in order. */
  readonly draw: (random: RandomGenerator) => readonly (readonly number[])[];
}

/** All that is drawn for a batch. */
export interface Selections {
  readonly tokens?: LayerRange & { readonly selection: Selection };
  readonly sequences: ReadonlyMap<number, Selection>;
}

const counted = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** `count` of 0 … `of` − 1 at random, in order. */
const choose = (count: number, of: number, random: RandomGenerator): number[] => [
  ...permutation(of, random).subarray(0, count).sort(),
];

/** What is drawn for every batch of a shape. */
export function selectionsOf(
  architecture: Architecture,
  shape: BatchShape,
  { layers, droppedTokens, droppedSequences }: PartialShape,
): Selections {
  const { batchSize } = shape;
  const { leadingTokens } = architecture;
  const length = rowsPerSequence(architecture, shape);
  const kept = length - droppedTokens;
  const middle = droppedTokens > 0 ? middleLayers(layers) : undefined;
  const tokens: Selection = {
    name: 'computed_tokens',
    sequenceLength: length,
    computed: { batchSize, sequenceLength: kept },
    stream: [randomStreams.tokenDrop],
    draw: random =>
      counted(batchSize).map(() => [
        ...counted(leadingTokens),
        ...choose(kept - leadingTokens, length - leadingTokens, random).map(
          token => leadingTokens + token,
        ),
      ]),
  };
  const sequencesOf = (layer: number, dropped: number): Selection => {
    const sequenceLength = middle && layer >= middle.begin && layer < middle.end ? kept : length;
    const computed = { batchSize: batchSize - dropped, sequenceLength };
    return {
      name: `computed_sequences.${layer}`,
      sequenceLength,
      computed,
      stream: [randomStreams.layerDrop, layer],
      draw: random => {
        const chosen = new Set(choose(computed.batchSize, batchSize, random));
        return counted(batchSize).map(index => (chosen.has(index) ? counted(sequenceLength) : []));
      },
    };
  };
  return {
    ...(middle && { tokens: { ...middle, selection: tokens } }),
    sequences: new Map(
      droppedSequences
        .slice(0, layers)
        .flatMap((dropped, layer) => (dropped > 0 ? [[layer, sequencesOf(layer, dropped)]] : [])),
    ),
  };
}

/** Names of the inputs that hold `RowSelection.order` and `.inverse`. */
export const orderName = (selection: string): string => `${selection}.order`;
export const inverseName = (selection: string): string => `${selection}.inverse`;

/** What a selection feeds for a batch. */
export function drawnRows(
  { name, sequenceLength, stream, draw }: Selection,
  seed: number,
  batch: number,
): Batch {
  const computed = draw(randomGenerator(seed, ...stream, batch));
  const isComputed = computed.map(tokens => new Set(tokens));
  const order = [
    ...computed.flatMap((tokens, index) => tokens.map(token => index * sequenceLength + token)),
    ...isComputed.flatMap((tokens, index) =>
      counted(sequenceLength)
        .filter(token => !tokens.has(token))
        .map(token => index * sequenceLength + token),
    ),
  ];
  const inverse = new Int32Array(order.length);
  order.forEach((row, place) => (inverse[row] = place));
  return { [orderName(name)]: Int32Array.from(order), [inverseName(name)]: inverse };
}
