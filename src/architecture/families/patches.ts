import { CorruptFileError } from '../../errors';
import { add, concat, expand, reshape, slice, transpose, type Tensor } from '../../graph';
import type { ForwardInputs, ModelConfig } from '../architecture';
import { sizeField, sizePairField } from '../configFields';
import { linear } from '../blocks/linear';
import type { Weights } from '../weights';

/** How an image is cut into patches. */
export interface PatchGrid {
  readonly channels: number;
  readonly imageHeight: number;
  readonly imageWidth: number;
  readonly patchHeight: number;
  readonly patchWidth: number;
  /** Patches from top to bottom. */
  readonly rows: number;
  /** Patches from left to right. */
  readonly columns: number;
}

/** Reads `image_size`, `patch_size` and `num_channels`. Throws CorruptFileError when no patch fits. */
export function patchGrid(config: ModelConfig): PatchGrid {
  const image = sizePairField(config, 'image_size', 224);
  const patch = sizePairField(config, 'patch_size', 16);
  const rows = Math.floor(image.height / patch.height);
  const columns = Math.floor(image.width / patch.width);
  if (rows === 0 || columns === 0) {
    throw new CorruptFileError(
      `config.json: patches of ${patch.height} × ${patch.width} do not fit into images of ${image.height} × ${image.width}.`,
      'Take config.json from the same place and version as the weights beside it.',
    );
  }
  return {
    channels: sizeField(config, 'num_channels', { fallback: 3 }),
    imageHeight: image.height,
    imageWidth: image.width,
    patchHeight: patch.height,
    patchWidth: patch.width,
    rows,
    columns,
  };
}

/** The pixels of each patch, as a convolution with stride = kernel reads them: [batch · patches, pixel]. */
function patchPixels(pixelValues: Tensor, batchSize: number, grid: PatchGrid): Tensor {
  const { channels, rows, columns, patchHeight, patchWidth } = grid;
  // Like the convolution, leave out what does not fill a patch at the right and bottom edges.
  const tall = slice(pixelValues, 2, 0, rows * patchHeight);
  const cut = slice(tall, 3, 0, columns * patchWidth);
  const blocks = reshape(cut, [batchSize, channels, rows, patchHeight, columns, patchWidth]);
  const pixels = channels * patchHeight * patchWidth;
  return reshape(transpose(blocks, [0, 2, 4, 1, 3, 5]), [batchSize * rows * columns, pixels]);
}

/**
 * Special tokens, then patches, with positions added to all or to patches alone:
 * [batchSize · sequence, hiddenSize]. `tokens` are the parameter ids of the special tokens.
 */
export function patchEmbedding(
  weights: Weights,
  { pixelValues, batchSize }: ForwardInputs,
  grid: PatchGrid,
  {
    tokens,
    positionsOfTokens,
  }: { readonly tokens: readonly string[]; readonly positionsOfTokens: boolean },
): Tensor {
  if (!pixelValues) throw new Error('A vision transformer reads pixelValues');
  const patches = linear(weights, 'embeddings.patch', patchPixels(pixelValues, batchSize, grid));
  const width = patches.shape[1]!;
  const count = grid.rows * grid.columns;
  const special = tokens.map(id =>
    expand(reshape(weights.tensor(id), [1, 1, width]), [batchSize, 1, width]),
  );
  const positions = weights.tensor('embeddings.position.weight');
  const cut = reshape(patches, [batchSize, count, width]);
  const sequence = positionsOfTokens
    ? add(concat([...special, cut], 1), positions)
    : concat([...special, add(cut, positions)], 1);
  return reshape(sequence, [batchSize * (tokens.length + count), width]);
}
