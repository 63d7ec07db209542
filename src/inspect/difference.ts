import { isReadableType, noValues, toNumbers } from '../checkpoint/elementTypes';
import type { Checkpoint, ListedCheckpoint, TensorInfo } from '../checkpoint/checkpoint';
import { elementCount } from '../checkpoint/tensor';
import { UnsupportedError, type Note } from '../errors';
import type { CheckpointDifference, TensorDifference } from '../protocol/differences';
import type { TensorRow } from '../protocol/messages';
import type { Unworded } from '../remedy/worded';
import { haveOneShape, infosOf, readBoth, withBoth, type Both, type Pairing } from './both';
import { addSums, distanceOf, noSums, sumsOf, type Sums } from './distance';
import { pairTensors } from './pairs';
import { partsOf } from './parts';
import { requireGoingOn } from './stopping';

/** Bytes of the first checkpoint that were compared, of so many. */
export interface BytesCompared {
  readonly bytes: number;
  readonly of: number;
}

/** Who waits for a comparison. */
export interface Waiting {
  readonly signal?: AbortSignal;
  /** Called at most a hundred times. */
  readonly onProgress?: (done: BytesCompared) => void;
  /** Elements that are read at a time. */
  readonly atOnce?: number;
}

/**
 * What differs between two checkpoints of any formats: tensors that one alone has, shapes and types, and how
 * far values moved. Both are read by parts.
 * @throws UserError, CorruptFileError when one cannot be read; InterruptedError
 */
export const checkpointDifference = (
  paths: Both<string>,
  waiting: Waiting = {},
): Promise<Unworded<CheckpointDifference>> =>
  withBoth(paths, async checkpoints => {
    const { before, after } = checkpoints;
    const names = pairTensors([...before.tensors.keys()], [...after.tensors.keys()]);
    const pairs = names.map(pair => infosOf(checkpoints, pair));
    const advance = progressOf(
      pairs.reduce((sum, pair) => sum + (haveOneShape(pair) ? pair.before.bytes : 0), 0),
      waiting,
    );
    const tensors: TensorDifference[] = [];
    let whole: Sums | undefined;
    for (const pair of pairs) {
      const { difference, sums } = await compare(checkpoints, pair, waiting, advance);
      tensors.push(difference);
      if (sums) whole = addSums(whole ?? noSums, sums);
    }
    return {
      ...paths,
      tensors,
      ...(whole && { whole: distanceOf(whole) }),
      notes: [...notesOf(before), ...notesOf(after)],
    };
  });

interface Compared {
  readonly difference: TensorDifference;
  /** Where values were compared. */
  readonly sums?: Sums;
}

async function compare(
  checkpoints: Both<Checkpoint>,
  pair: Pairing,
  waiting: Waiting,
  advance: (bytes: number) => void,
): Promise<Compared> {
  const { before, after } = pair;
  if (!before) return { difference: { change: 'added', after: rowOf(after!) } };
  if (!after) return { difference: { change: 'removed', before: rowOf(before) } };
  const rows = { before: rowOf(before), after: rowOf(after) };
  if (!haveOneShape(pair)) return { difference: { change: 'reshaped', ...rows } };
  const isSameType = rows.before.type === rows.after.type;
  const opaque = [before.type, after.type].find(type => !isReadableType(type));
  try {
    if (opaque !== undefined && before.type !== after.type) throw noValues(opaque);
    const { sums, sameBytes } = await readSums(checkpoints, pair, waiting, advance);
    const change = !isSameType ? 'retyped' : sameBytes ? 'identical' : 'moved';
    if (opaque !== undefined) {
      if (!sameBytes) throw noValues(opaque);
      return { difference: { change, ...rows } };
    }
    if (elementCount(before.shape) === 0) return { difference: { change, ...rows } };
    return { difference: { change, ...rows, distance: distanceOf(sums) }, sums };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { difference: { change: 'unreadable', ...rows, reason: error.message } };
  }
}

/** Reads two tensors of one shape by parts; of types without values the bytes alone. */
async function readSums(
  checkpoints: Both<Checkpoint>,
  pair: Both<TensorInfo>,
  { signal, atOnce }: Waiting,
  advance: (bytes: number) => void,
): Promise<{ readonly sums: Sums; readonly sameBytes: boolean }> {
  const { before, after } = pair;
  const haveValues = isReadableType(before.type) && isReadableType(after.type);
  const elements = elementCount(before.shape);
  let sums = noSums;
  let sameBytes = true;
  for (const { first, count } of partsOf(before, atOnce)) {
    requireGoingOn(signal);
    const [a, b] = await readBoth(checkpoints, pair, first, count);
    sameBytes &&= Buffer.compare(a, b) === 0;
    if (haveValues) {
      sums = addSums(sums, sumsOf(toNumbers(a, before.type), toNumbers(b, after.type)));
    }
    advance((before.bytes * count) / elements);
  }
  return { sums, sameBytes };
}

const rowOf = ({ name, type, storedAs = type, shape, bytes }: TensorInfo): TensorRow => ({
  name,
  type: storedAs,
  shape,
  bytes,
});

/** Tells of each hundredth that is done. */
function progressOf(of: number, { onProgress }: Waiting): (bytes: number) => void {
  let [done, told] = [0, 0];
  return bytes => {
    done += bytes;
    const hundredths = Math.floor((100 * done) / of);
    if (hundredths <= told) return;
    told = hundredths;
    onProgress?.({ bytes: done, of });
  };
}

/** What is to be said of a checkpoint, with what it is said of. */
const notesOf = ({ problems, notes, files, directory }: ListedCheckpoint): Note[] =>
  [...problems, ...notes].map(({ message, remedy }) => ({
    message: `${files[0] ?? directory}: ${message}`,
    remedy,
  }));
