import { setImmediate as breathe } from 'node:timers/promises';
import { openIfRegular, readEnd } from '../../files';
import type { LoggedEvent } from '../../protocol/events';
import { loggedEvent } from '../../protocol/eventSchemas';

/** Bytes of a line with a picture at most: earlier versions wrote lists of numbers, whatever the model. */
export const longestPicture = 1 << 26;
/** Bytes read at a time, so that a long history never holds the host up. */
const chunkBytes = 1 << 18;
/** Milliseconds of work after which others get their turn. */
const longestTurn = 8;
/** Characters of a line that tell what it is. */
const headLength = 80;

/** A line of a file of events. */
export interface EventLine {
  /** How it begins. */
  readonly head: string;
  /** Its first byte, and the one after its last. */
  readonly from: number;
  readonly to: number;
  /** All of it; undefined when it is longer than any that we write. */
  bytes(): Buffer | undefined;
}

/**
 * Reads the whole lines of a file from a byte on; gives the bytes used up. What is not there, or no
 * file, has no lines.
 */
export async function readLines(
  path: string,
  from: number,
  onLine: (line: EventLine) => void,
): Promise<number> {
  const file = await openIfRegular(path);
  if (!file) return from;
  try {
    let used = from;
    let position = from;
    let rest: Buffer[] = [];
    let turn = performance.now();
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await file.read(chunk, 0, chunkBytes, position);
      if (bytesRead === 0) return used;
      const read = chunk.subarray(0, bytesRead);
      let start = 0;
      for (;;) {
        const end = read.indexOf(10, start);
        if (end < 0) break;
        const parts = [...rest, read.subarray(start, end)];
        const to = position + end;
        onLine({ head: headOf(parts), from: used, to, bytes: () => whole(parts, to - used) });
        rest = [];
        start = end + 1;
        used = position + start;
        if (performance.now() - turn > longestTurn) {
          await breathe();
          turn = performance.now();
        }
      }
      position += bytesRead;
      // Of a line without end only its beginning is kept.
      if (start < bytesRead && position - used <= longestPicture) rest.push(read.subarray(start));
    }
  } finally {
    await file.close();
  }
}

const headOf = (parts: readonly Buffer[]): string => {
  const [first] = parts;
  if (!first) return '';
  const enough = first.length >= headLength ? first : Buffer.concat(parts.slice(0, 2));
  return enough.toString('latin1', 0, headLength);
};

function whole(parts: readonly Buffer[], length: number): Buffer | undefined {
  if (length > longestPicture) return undefined;
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

/** An event; undefined when the line is damaged: a worker may have died writing it. */
export function parseEvent(line: Buffer | undefined): LoggedEvent | undefined {
  if (!line) return undefined;
  try {
    const parsed = loggedEvent.safeParse(JSON.parse(line.toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** How lines of operators begin; they are most of the bytes and only a run panel wants them. */
const operatorsLine = '{"type":"operators"';

/** Whether a line holds pictures of operators. */
export const holdsOperators = (head: string): boolean => head.startsWith(operatorsLine);

/** The step of a picture, from how its line begins. */
export function pictureStep(head: string): number | undefined {
  const step = /^\{"type":"operators","step":(\d{1,10})[,}]/.exec(head)?.[1];
  return step === undefined ? undefined : Number(step);
}

/** How many of the last lines tell where a run stands. */
const lastLines = 6;
/** Bytes in which the last lines are looked for, first in few, and in more where one line is longer. */
const ends = [1 << 13, 1 << 17, 1 << 21];

/**
 * The last events of a file, oldest first, from a few bytes at its end: how the run ended, and before that
 * its newest step. Empty when the file has none.
 */
export async function readLastEvents(path: string): Promise<readonly LoggedEvent[]> {
  let events: readonly LoggedEvent[] = [];
  for (const most of ends) {
    const end = await readEnd(path, most);
    if (!end) return [];
    events = lastEvents(end.bytes, end.from === 0) ?? [];
    // Of a run that was stopped, people want to know at which step.
    const enough = events.at(-1)?.type === 'done' || events.some(({ type }) => type === 'step');
    if (enough || end.from === 0) return events;
  }
  return events;
}

/** Undefined when there is no whole line. */
function lastEvents(bytes: Buffer, fromStart: boolean): readonly LoggedEvent[] | undefined {
  const lines: Buffer[] = [];
  let newestStep: Buffer | undefined;
  let stop = bytes.lastIndexOf(10);
  while (stop >= 0) {
    const start = stop === 0 ? -1 : bytes.lastIndexOf(10, stop - 1);
    if (start < 0 && !fromStart) break;
    const line = bytes.subarray(start + 1, stop);
    const head = line.toString('latin1', 0, headLength);
    const isNewestStep = newestStep === undefined && head.startsWith('{"type":"step"');
    if (isNewestStep) newestStep = line;
    if (!holdsOperators(head) && (lines.length < lastLines || isNewestStep)) lines.push(line);
    stop = start;
  }
  if (lines.length === 0) return undefined;
  const parsed = (some: readonly (Buffer | undefined)[]): LoggedEvent[] =>
    some.flatMap(line => parseEvent(line) ?? []);
  const [last, ...before] = lines;
  const ends = parsed([last]);
  // A receipt tells what else was told.
  const [end] = ends;
  const hasReceipt = end?.type === 'done' && (end.receipt ?? end.training) !== undefined;
  return [...parsed(hasReceipt ? [newestStep] : before.reverse()), ...ends];
}
