import {
  listCheckpoint,
  type Checkpoint,
  type ListedCheckpoint,
  type TensorInfo,
} from '../checkpoint/checkpoint';
import { UnsupportedError } from '../errors';

/** Two checkpoints, or what each has of something. */
export interface Both<T> {
  readonly before: T;
  readonly after: T;
}

/** A tensor of each, where they have it. */
export type Pairing = Both<TensorInfo | undefined>;

/** Opens two checkpoints for as long as something is done with them. @throws UserError, CorruptFileError */
export async function withBoth<T>(
  paths: Both<string>,
  work: (checkpoints: Both<ListedCheckpoint>) => Promise<T>,
): Promise<T> {
  const before = await openWhole(paths.before);
  try {
    const after = await openWhole(paths.after);
    try {
      return await work({ before, after });
    } finally {
      await after.close();
    }
  } finally {
    await before.close();
  }
}

/** Opens a checkpoint that may be of a kind that cannot be used, but not one that lacks something. */
async function openWhole(path: string): Promise<ListedCheckpoint> {
  const checkpoint = await listCheckpoint(path);
  const problem = checkpoint.problems.find(error => !(error instanceof UnsupportedError));
  if (problem === undefined) return checkpoint;
  await checkpoint.close();
  throw problem;
}

/** What two tensors are, each undefined where its checkpoint has none of that name. */
export const infosOf = (
  { before, after }: Both<Checkpoint>,
  names: { readonly before?: string; readonly after?: string },
): Pairing => ({
  before: names.before === undefined ? undefined : before.tensors.get(names.before),
  after: names.after === undefined ? undefined : after.tensors.get(names.after),
});

/** Whether both are there and of one shape, so that each element of one has one of the other. */
export const haveOneShape = (pair: Pairing): pair is Both<TensorInfo> =>
  pair.before !== undefined &&
  pair.after !== undefined &&
  pair.before.shape.join() === pair.after.shape.join();

/** Elements of both that lie together, as bytes of their types. @throws UserError */
export const readBoth = (
  checkpoints: Both<Checkpoint>,
  { before, after }: Both<TensorInfo>,
  first: number,
  count: number,
): Promise<[Uint8Array, Uint8Array]> =>
  Promise.all([
    checkpoints.before.readBytes(before.name, first, count),
    checkpoints.after.readBytes(after.name, first, count),
  ]);
