import { watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSmall } from '../../files';
import { runFiles } from '../../protocol/runFolder';
import type { LoggedEvent } from '../../protocol/events';
import { holdsOperators, parseEvent, pictureStep, readLines, type EventLine } from './eventLines';
import type { Disposable } from '../lifetime';
import type { PictureLine } from './pictures';

/** Milliseconds between looks where the system does not tell of changes. */
const pollEvery = 700;
/** Lines of a kind that is told often which are parsed before every second is passed over. */
const manyLines = 10_000;
/** How lines begin that are told often; logs of earlier versions have every one of them. */
const frequent = ['step', 'usage', 'comparisonStep'].map(type => `{"type":"${type}"`);
/** Bytes of the file of the newest events at most. */
const longestNewest = 1 << 16;

/** Follows a file of events while it grows. */
export class EventTail implements Disposable {
  /** Bytes that were read and told. */
  offset = 0;
  /** Pictures of operators are parsed only while somebody looks. */
  withOperators = false;
  /** Where the pictures of operators are, in the order of their steps. */
  readonly pictures: PictureLine[] = [];
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | undefined;
  private again = false;
  /** Of the newest event that was told. */
  private time = -Infinity;

  constructor(
    private readonly path: string,
    private readonly onEvents: (events: readonly LoggedEvent[]) => void,
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
    let events: LoggedEvent[] = [];
    let parsed = 0;
    let stride = 1;
    let passedOver = 0;
    let skipped: Buffer | undefined;
    const tell = (): void => {
      if (events.length > 0) this.onEvents(events);
      events = [];
    };
    const take = (event: LoggedEvent | undefined): void => {
      if (!event) return;
      this.time = Math.max(this.time, event.time);
      events.push(event);
      if (events.length >= 500) tell();
    };
    this.offset = await readLines(this.path, this.offset, line => {
      if (holdsOperators(line.head)) {
        this.addPicture(line);
        if (!this.withOperators) return;
      }
      if (frequent.some(head => line.head.startsWith(head))) {
        if (++passedOver < stride) {
          skipped = line.bytes();
          return;
        }
        passedOver = 0;
        if (++parsed % manyLines === 0) stride *= 2;
      } else if (skipped) {
        // What was newest when something else happened belongs before it.
        take(parseEvent(skipped));
      }
      skipped = undefined;
      take(parseEvent(line.bytes()));
    });
    take(parseEvent(skipped));
    await this.readNewest(take);
    tell();
  }

  /** A run that was resumed or begun anew tells a step again; the newest picture counts. */
  private addPicture({ head, from, to }: EventLine): void {
    const step = pictureStep(head);
    if (step === undefined) return;
    while ((this.pictures.at(-1)?.step ?? -Infinity) >= step) this.pictures.pop();
    this.pictures.push({ step, from, to });
  }

  /** What the log leaves out, as long as it is newer than what the log has. */
  private async readNewest(take: (event: LoggedEvent) => void): Promise<void> {
    const bytes = await readSmall(join(dirname(this.path), runFiles.newest), longestNewest);
    const known = this.time;
    for (const line of bytes?.toString('latin1').split('\n') ?? []) {
      const event = parseEvent(Buffer.from(line, 'latin1'));
      if (event && event.time > known && event.type !== 'done' && event.type !== 'failed') {
        take(event);
      }
    }
  }
}
