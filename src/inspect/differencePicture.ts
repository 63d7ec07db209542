import { toNumbers } from '../checkpoint/elementTypes';
import { elementCount } from '../checkpoint/tensor';
import { UserError } from '../errors';
import { openPool } from '../growth';
import type { DifferencePicture } from '../protocol/differences';
import { haveOneShape, infosOf, readBoth, withBoth, type Both } from './both';
import { asMatrix, partsOf } from './parts';
import { largestPicture } from './statistics';
import { requireGoingOn } from './stopping';

/**
 * The difference b − a of one tensor, which the two may call by different names, as a picture.
 * @throws UserError when it has no values in either, or another shape; InterruptedError
 */
export const differencePicture = (
  paths: Both<string>,
  names: Both<string>,
  signal?: AbortSignal,
): Promise<DifferencePicture> =>
  withBoth(paths, async checkpoints => {
    const pair = infosOf(checkpoints, names);
    if (!haveOneShape(pair)) {
      throw new UserError(
        `${names.before} is no longer of one shape in both.`,
        'Compare the checkpoints again.',
      );
    }
    const { before, after } = pair;
    if (elementCount(before.shape) < 2) return { picture: undefined };
    const shape = asMatrix(before.shape);
    const pool = openPool(shape, largestPicture);
    for (const { first, count } of partsOf(before)) {
      requireGoingOn(signal);
      const [a, b] = await readBoth(checkpoints, pair, first, count);
      pool.add(movedOf(toNumbers(a, before.type), toNumbers(b, after.type)), first);
    }
    return { picture: { name: before.name, group: 'width', shape, ...pool.pooled() } };
  });

type Values = Float32Array | Float64Array;

function movedOf(from: Values, to: Values): Float32Array {
  const moved = new Float32Array(from.length);
  for (let index = 0; index < moved.length; index++) moved[index] = to[index]! - from[index]!;
  return moved;
}
