import { constants, watch, type FSWatcher } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import { runEvent, type CheckedEvent } from '../protocol/schemas';
import type { Disposable } from './lifetime';

/** Bytes read at a time, so that a long history never holds the host up. */
const chunkBytes = 1 << 18;
/** Milliseconds between looks where the system does not tell of changes. */
const pollEvery = 700;
/** How lines of operators begin; they are most of the bytes and only a run panel wants them. */
const operatorsLine = '{"type":"operators"';
/** Milliseconds of parsing after which others get their turn. */
const longestTurn = 8;

/** Reads lines of a file from one byte to another (its end by default); gives the bytes used up. */
export async function readEvents(
  path: string,
  range: { readonly from: number; readonly to?: number },
  onEvent: (event: CheckedEvent) => void,
  wants: (line: string) => boolean,
): Promise<number> {
  let file;
  try {
    // Without waiting: a FIFO would hold the host up until somebody writes.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return range.from;
    throw error;
  }
  try {
    // Anything else holds no events: a directory cannot be read, a device has no end.
    if (!(await file.stat()).isFile()) return range.from;
    let used = range.from;
    let position = range.from;
    const rest: Buffer[] = [];
    let turn = performance.now();
    while (range.to === undefined || position < range.to) {
      const size = Math.min(chunkBytes, (range.to ?? Infinity) - position);
      const chunk = Buffer.alloc(size);
      const { bytesRead } = await file.read(chunk, 0, size, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      let start = 0;
      for (;;) {
        const end = chunk.subarray(0, bytesRead).indexOf(10, start);
        if (end < 0) break;
        rest.push(chunk.subarray(start, end));
        const line = rest.length === 1 ? rest[0]! : Buffer.concat(rest);
        rest.length = 0;
        start = end + 1;
        used = position - bytesRead + start;
        const event = parseLine(line, wants);
        if (event) onEvent(event);
        if (performance.now() - turn > longestTurn) {
          await breathe();
          turn = performance.now();
        }
      }
      if (start < bytesRead) rest.push(chunk.subarray(start, bytesRead));
    }
    return used;
  } finally {
    await file.close();
  }
}

/** An event, unless nobody wants it or the line is damaged: a worker may have died writing it. */
function parseLine(line: Buffer, wants: (line: string) => boolean): CheckedEvent | undefined {
  if (!wants(line.toString('latin1', 0, 40))) return undefined;
  try {
    const parsed = runEvent.safeParse(JSON.parse(line.toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a line holds pictures of operators. */
export const holdsOperators = (line: string): boolean => line.startsWith(operatorsLine);

/** Follows a file of events while it grows. */
export class EventTail implements Disposable {
  /** Bytes that were read and told. */
  offset = 0;
  /** Pictures of operators are parsed only while somebody looks. */
  withOperators = false;
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | undefined;
  private again = false;

  constructor(
    private readonly path: string,
    private readonly onEvents: (events: readonly CheckedEvent[]) => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Reads what is there now; several calls at once become one more look. */
  async catchUp(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return this.reading;
    }
    this.reading = this.read();
    return this.reading;
  }

  /** Goes on reading until disposed; may be called again afterwards. */
  follow(): void {
    this.timer ??= setInterval(this.look, pollEvery);
    this.look();
  }

  private readonly look = (): void => {
    if (!this.timer) return;
    this.watcher ??= this.tryToWatch();
    this.catchUp().catch(this.onError);
  };

  /** Undefined while the file is not there, and on file systems that tell nothing. */
  private tryToWatch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.path, this.look);
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  }

  dispose(): void {
    this.watcher?.close();
    clearInterval(this.timer);
    this.watcher = undefined;
    this.timer = undefined;
  }

  private async read(): Promise<void> {
    try {
      do {
        this.again = false;
        await this.readOnce();
      } while (this.again);
    } finally {
      // In one turn with the last look at `again`: whoever asks later begins a look of their own.
      this.reading = undefined;
    }
  }

  private async readOnce(): Promise<void> {
    let events: CheckedEvent[] = [];
    const tell = (): void => {
      if (events.length > 0) this.onEvents(events);
      events = [];
    };
    this.offset = await readEvents(
      this.path,
      { from: this.offset },
      event => {
        events.push(event);
        if (events.length >= 500) tell();
      },
      line => this.withOperators || !holdsOperators(line),
    );
    tell();
  }
}
