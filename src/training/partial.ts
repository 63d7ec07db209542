import type { Architecture, PartialLayers, RowSelection } from '../architecture';
import type { BatchSource } from '../data/batches';
import { input } from '../graph';
import type { BatchFeeds, BatchShape } from './objective';
import {
  drawnRows,
  inverseName,
  orderName,
  selectionsOf,
  type PartialShape,
  type Selection,
} from './selections';

/** The inputs of a batch, and with them what says which rows are computed: see `partialBatches`. */
export function partialFeeds(
  feeds: BatchFeeds,
  architecture: Architecture,
  shape: BatchShape,
  partial: PartialShape,
): BatchFeeds {
  const { tokens, sequences } = selectionsOf(architecture, shape, partial);
  const rowsOf = (
    { name, sequenceLength, computed }: Selection,
    batchSize: number,
  ): RowSelection => {
    const rows = [batchSize * sequenceLength];
    return {
      order: input(orderName(name), rows, 'int32'),
      inverse: input(inverseName(name), rows, 'int32'),
      ...computed,
    };
  };
  const layers: PartialLayers = {
    count: partial.layers,
    ...(tokens && {
      tokens: { ...tokens, rows: rowsOf(tokens.selection, shape.batchSize) },
    }),
    sequences: new Map(
      [...sequences].map(([layer, selection]) => [layer, rowsOf(selection, shape.batchSize)]),
    ),
  };
  const selected = [...(layers.tokens ? [layers.tokens.rows] : []), ...layers.sequences!.values()];
  return {
    ...feeds,
    tensors: [...feeds.tensors, ...selected.flatMap(({ order, inverse }) => [order, inverse])],
    forward: { ...feeds.forward, partial: layers },
  };
}

/**
 * Training batches that also say which rows are computed, drawn by seed and the batch's number alone.
 * Batches to evaluate on stay as they are: a network is evaluated as a whole.
 */
export function partialBatches(
  batches: BatchSource,
  architecture: Architecture,
  shape: BatchShape,
  partial: PartialShape,
  seed: number,
): BatchSource {
  const { tokens, sequences } = selectionsOf(architecture, shape, partial);
  const selections = [...(tokens ? [tokens.selection] : []), ...sequences.values()];
  return {
    ...batches,
    train: async number => {
      const batch = await batches.train(number);
      return selections.reduce(
        (all, selection) => ({ ...all, ...drawnRows(selection, seed, number) }),
        batch,
      );
    },
  };
}
