import { elementCount } from '../checkpoint/tensor';
import { listCheckpoint, type Checkpoint, type TensorInfo } from '../checkpoint/checkpoint';
import { UserError } from '../errors';
import { poolMatrix } from '../growth';
import type { TensorStatistics } from '../protocol/messages';
import { asMatrix } from './parts';

/** Elements that are read exactly; of larger tensors an even sample of this many, 64 MB. */
const largestRead = 2 ** 24;
/** Least elements read at a time from a sampled tensor. */
const block = 2 ** 16;
const bins = 64;
/** Rows and columns of a tensor's picture at most. */
export const largestPicture = 128;

/** Numbers about one tensor, computed from ranged reads. Throws UserError for unreadable types. */
export async function tensorStatistics(
  path: string,
  name: string,
  limit = largestRead,
): Promise<TensorStatistics> {
  const checkpoint = await listCheckpoint(path);
  try {
    const tensor = checkpoint.tensors.get(name);
    if (!tensor) {
      throw new UserError(`${path} holds no tensor named ${name}.`, 'Open the file again.');
    }
    const [height, width] = asMatrix(tensor.shape);
    const sample = await readSample(checkpoint, tensor, [height, width], limit);
    const drawable = elementCount(tensor.shape) >= 2;
    return {
      name,
      count: elementCount(tensor.shape),
      ...describe(sample.values),
      picture: drawable
        ? {
            name,
            group: 'width',
            shape: [height, width],
            ...poolMatrix(sample.values, sample.shape, largestPicture),
          }
        : undefined,
      sampled: sample.sampled,
    };
  } finally {
    await checkpoint.close();
  }
}

interface Sample {
  readonly values: Float32Array;
  readonly shape: [number, number];
  readonly sampled: boolean;
}

/** The whole tensor, or blocks of it at even distances. */
async function readSample(
  checkpoint: Checkpoint,
  { name, shape }: TensorInfo,
  [height, width]: [number, number],
  limit: number,
): Promise<Sample> {
  const count = elementCount(shape);
  if (count <= limit) {
    const values = await checkpoint.readRange(name, 0, count);
    return { values, shape: [height, width], sampled: false };
  }
  // A row too long to read becomes rows of one block.
  const rowLength = width > limit ? Math.min(block, limit) : width;
  const rows = width > limit ? Math.floor(count / rowLength) : height;
  const rowsRead = Math.min(rows, Math.max(1, Math.ceil(block / rowLength)));
  const reads = Math.max(1, Math.floor(limit / (rowsRead * rowLength)));
  const values = new Float32Array(reads * rowsRead * rowLength);
  for (let read = 0; read < reads; read++) {
    const row = Math.floor((read * (rows - rowsRead)) / Math.max(1, reads - 1));
    const part = await checkpoint.readRange(name, row * rowLength, rowsRead * rowLength);
    values.set(part, read * rowsRead * rowLength);
  }
  return { values, shape: [reads * rowsRead, rowLength], sampled: true };
}

type Description = Pick<
  TensorStatistics,
  'mean' | 'standardDeviation' | 'minimum' | 'maximum' | 'zeros' | 'notFinite' | 'histogram'
>;

/** Mean, spread and histogram of the finite values; two passes, in float64. */
function describe(values: Float32Array): Description {
  let [sum, zeros, finite] = [0, 0, 0];
  let [minimum, maximum] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    finite++;
    sum += value;
    if (value === 0) zeros++;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const notFinite = values.length - finite;
  if (finite === 0) {
    const nothing = { mean: NaN, standardDeviation: NaN, minimum: NaN, maximum: NaN };
    return { ...nothing, zeros, notFinite, histogram: { edges: [], counts: [] } };
  }
  const mean = sum / finite;
  const span = maximum - minimum;
  const size = span > 0 ? bins : 1;
  const counts = new Array<number>(size).fill(0);
  let squares = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    squares += (value - mean) ** 2;
    const bin = span > 0 ? Math.min(size - 1, Math.floor(((value - minimum) / span) * size)) : 0;
    counts[bin]!++;
  }
  const edges = Array.from({ length: size + 1 }, (_, edge) => minimum + (span * edge) / size);
  const standardDeviation = Math.sqrt(squares / finite);
  return {
    mean,
    standardDeviation,
    minimum,
    maximum,
    zeros,
    notFinite,
    histogram: { edges, counts },
  };
}
