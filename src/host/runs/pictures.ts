import { openIfRegular, readRange, readSmall } from '../../files';
import type { OperatorSnapshot, PicturedMatrix } from '../../protocol/messages';
import { unpackValues } from '../../protocol/packedMatrix';
import type { LoggedEvent } from '../../protocol/events';
import { longestPicture, parseEvent } from './eventLines';

/** Where a picture of the operators stands in a file of events. */
export interface PictureLine {
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

/** Bytes of history that a page is given at most; logs of earlier versions have more. */
const mostHistory = 8_000_000;

/** The operators of an event as pages draw them; those whose cells are not what they say are left out. */
export function snapshotOf(event: Extract<LoggedEvent, { type: 'operators' }>): OperatorSnapshot {
  const operators = event.operators.flatMap((matrix): PicturedMatrix[] => {
    const { name, group, shape, rows, columns } = matrix;
    const values = 'packed' in matrix ? unpackValues(matrix) : cellsOf(matrix);
    return values ? [{ name, group, shape, rows, columns, values }] : [];
  });
  return { step: event.step, operators, ...(event.omitted && { omitted: event.omitted }) };
}

function cellsOf({
  rows,
  columns,
  values,
}: {
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly unknown[];
}): Float32Array | undefined {
  if (values.length !== rows * columns) return undefined;
  return Float32Array.from(values, value => (typeof value === 'number' ? value : NaN));
}

/** A picture from a line; undefined when the line is damaged. */
export function parsePicture(line: Buffer): OperatorSnapshot | undefined {
  const event = parseEvent(line);
  return event?.type === 'operators' ? snapshotOf(event) : undefined;
}

/** The picture that a file holds beside the log; undefined when there is none. */
export async function readPicture(path: string): Promise<OperatorSnapshot | undefined> {
  const bytes = await readSmall(path, longestPicture);
  return bytes && parsePicture(bytes);
}

/** The pictures at some places of a file, in order; damaged ones are passed over. */
export async function* readPictures(
  path: string,
  lines: readonly PictureLine[],
): AsyncGenerator<OperatorSnapshot> {
  const file = await openIfRegular(path);
  if (!file) return;
  try {
    for (const { from, to } of lines) {
      const picture = parsePicture(await readRange(file, from, to - from));
      if (picture) yield picture;
    }
  } finally {
    await file.close();
  }
}

/** As many pictures as a page is given: the first, the last, and those between evenly thinned. */
export function thinPictures(lines: readonly PictureLine[]): readonly PictureLine[] {
  const bytes = lines.reduce((sum, { from, to }) => sum + to - from, 0);
  const stride = Math.ceil(bytes / mostHistory);
  const last = lines.length - 1;
  return lines.filter((_, index) => index === last || index % Math.max(1, stride) === 0);
}
