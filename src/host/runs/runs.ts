import { watch, type FSWatcher } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors';
import {
  runFiles,
  type DeviceClaim,
  type RunCommand,
  type WorkerRequest,
} from '../../protocol/runFolder';
import type { OperatorSnapshot } from '../../protocol/messages';
import type { LoggedEvent } from '../../protocol/events';
import { explainDeath } from './death';
import { shareDevice, type DeviceClaims } from './deviceClaims';
import { readLastEvents } from './eventLines';
import { EventTail } from './eventTail';
import { forEachSome } from '../forEachSome';
import { Emitter, oneAtATime, throttle, type Disposable } from '../lifetime';
import type { Launcher, StartedWorker, WorkerExit } from './launcher';
import { readPicture, readPictures, thinPictures, type PictureLine } from './pictures';
import * as files from './runFolder';
import { RunRecord, type Holder } from './runRecord';

/** What the service of runs needs from where it lives. */
export interface RunsOptions {
  /** Where run folders lie. */
  readonly folder: string;
  /** What the windows of this machine tell each other of its devices. */
  readonly devices: DeviceClaims;
  /** Where runs are worked on. */
  readonly launcher: Launcher;
  /** How many ended runs are kept. */
  readonly keep: () => number;
  /** Whether work may be started. */
  readonly mayStart: () => boolean;
  readonly onError: (error: unknown) => void;
}

/** News of a run. */
export interface RunChange {
  readonly run: RunRecord;
  /** Empty when something else changed than what events tell. */
  readonly events: readonly LoggedEvent[];
  /** It ended just now, while we watched. */
  readonly endedNow: boolean;
}

interface Entry {
  readonly record: RunRecord;
  /** What events are told to: another record while the whole log is read for the first time. */
  sink: RunRecord;
  /** Begun when somebody wants more than where the run stands. */
  whole: Promise<void> | undefined;
  readonly tail: EventTail;
  /** The worker that this host started last. */
  started: StartedWorker | undefined;
  /** How that one ended. */
  exit: WorkerExit | undefined;
  /** The events that were there when the host came are no news. */
  caughtUp: boolean;
  checking: boolean;
  /** Letting go of its device, after an end. */
  releasing: Promise<void>;
}

/** Runs that are restored, or forgotten, at the same time. */
const atOnce = 16;
/** Milliseconds between looks at the workers. */
const watchEvery = 1500;
/** Milliseconds that what other windows tell is collected for. */
const newsEvery = 100;
/** Milliseconds a worker may take to say that it started. */
const patience = 30_000;

/**
 * All runs: starts workers, one at a time on each device, finds those of an earlier host again, and
 * follows their events. Runs live in folders and outlive this object.
 */
export class Runs implements Disposable {
  private readonly entries = new Map<string, Entry>();
  private readonly changes = new Emitter<RunChange>();
  private readonly startedAt = new Map<string, number>();
  private readonly changesElsewhere = new Emitter<void>();
  private timer: NodeJS.Timeout | undefined;
  private watcher: FSWatcher | undefined;
  private readonly news = throttle(newsEvery, () => void this.look().catch(this.options.onError));
  /** Starts what can start now, and makes room. */
  private readonly startNext = oneAtATime(async () => {
    await this.startWaiting();
    await this.forgetOld();
  });
  private claims: readonly DeviceClaim[] = [];
  private ended = false;

  readonly onDidChange = this.changes.on;
  /** Tells when `elsewhere` changed. */
  readonly onDidChangeElsewhere = this.changesElsewhere.on;

  constructor(private readonly options: RunsOptions) {}

  /** Newest first. */
  list(): RunRecord[] {
    return [...this.entries.values()]
      .map(({ record }) => record)
      .sort((a, b) => b.request.created - a.request.created);
  }

  get(id: string): RunRecord | undefined {
    return this.entries.get(id)?.record;
  }

  /** Runs of other windows that hold a device of this machine, oldest first. */
  get elsewhere(): readonly DeviceClaim[] {
    return this.claims.filter(({ id }) => !this.entries.has(id));
  }

  /**
   * Finds the runs of earlier hosts: attaches to those that live, tells of those that died. Of those that
   * ended only the last lines are read, until somebody wants the whole (`load`).
   */
  async restore(): Promise<void> {
    this.claims = await this.options.devices.list();
    const names = await readdir(this.options.folder).catch(() => [] as string[]);
    await forEachSome(names, atOnce, name =>
      // One bad run never hides another.
      this.restoreRun(name, join(this.options.folder, name)).catch(this.options.onError),
    );
    await this.forgetOld();
    await this.watchOthers();
    await this.startNext();
  }

  private async restoreRun(name: string, folder: string): Promise<void> {
    const [request, last] = await Promise.all([
      files.readRequest(folder),
      readLastEvents(join(folder, runFiles.events)),
    ]);
    if (!request || request.id !== name || this.entries.has(name)) return;
    const entry = this.track(new RunRecord(request, folder));
    const end = last.at(-1)?.type;
    if (end === 'done' || end === 'failed') {
      for (const event of last) entry.record.apply(event);
      entry.caughtUp = true;
      this.tell(entry);
      return;
    }
    entry.record.command = await files.readCommand(folder);
    const worker = await files.readProcess(folder);
    if (worker) entry.record.foundStarted();
    else if (entry.record.command === 'cancel') entry.record.cancelBeforeStart();
    entry.whole = entry.tail.catchUp();
    await entry.whole;
    if (entry.record.live) await this.check(entry);
    entry.caughtUp = true;
    if (entry.record.live) {
      this.watch(entry);
      // Versions before this one started workers without a claim.
      const isClaimed = this.claims.some(({ id }) => id === request.id);
      if (worker && !isClaimed) await this.options.devices.hold(request, folder, worker);
    }
    this.tell(entry);
  }

  /** Whether more of a run is known than where it stands. */
  isLoaded(id: string): boolean {
    return this.entries.get(id)?.whole !== undefined;
  }

  /** Reads all that a run told, where so far only its end was read. */
  async load(id: string): Promise<void> {
    const entry = this.entries.get(id);
    if (entry) await (entry.whole ??= this.readWhole(entry));
  }

  private async readWhole(entry: Entry): Promise<void> {
    const { record } = entry;
    entry.sink = new RunRecord(record.request, record.folder);
    entry.caughtUp = false;
    try {
      await entry.tail.catchUp();
      // The end was read already; a damaged log may have lost it since.
      if (entry.sink.ended) record.adopt(entry.sink);
    } finally {
      entry.sink = record;
      entry.caughtUp = true;
    }
  }

  /** Writes a run's folder and starts it when its device is free. */
  async start(request: WorkerRequest): Promise<RunRecord> {
    const folder = join(this.options.folder, request.id);
    await mkdir(folder, { recursive: true });
    await files.writeRequest(folder, request);
    const entry = this.track(new RunRecord(request, folder));
    entry.whole = Promise.resolve();
    entry.caughtUp = true;
    this.tell(entry);
    await this.startNext();
    return entry.record;
  }

  /** Asks something of a run. A run that waits can only be cancelled. */
  async control(id: string, command: RunCommand): Promise<void> {
    const entry = this.require(id);
    const { record } = entry;
    if (record.status === 'queued' && (command === 'cancel' || command === 'stopAndKeep')) {
      record.cancelBeforeStart();
      await files.writeCommand(record.folder, 'cancel');
    } else if (record.live) {
      record.command = command;
      await files.writeCommand(record.folder, command);
    }
    this.tell(entry);
    await this.startNext();
  }

  /** Takes up a run that ended without a result, where it stopped if it left its state. */
  async resume(id: string): Promise<void> {
    const entry = this.require(id);
    const { record } = entry;
    if (record.status === 'done' || record.live) return;
    await this.load(id);
    await entry.releasing;
    const request = { ...record.request, resume: record.resumable };
    await files.writeRequest(record.folder, request);
    await files.writeCommand(record.folder, 'run');
    await rm(join(record.folder, runFiles.process), { force: true });
    record.queueAgain(request);
    this.tell(entry);
    await this.startNext();
  }

  /** Forgets a run that ended. Its result stays. */
  async remove(id: string): Promise<void> {
    const entry = this.require(id);
    if (entry.record.live) return;
    entry.tail.dispose();
    this.entries.delete(id);
    await rm(entry.record.folder, { recursive: true, force: true });
    this.tell(entry);
  }

  /** Has new pictures of operators come with `onDidChange`, until disposed. */
  followOperators(id: string): Disposable {
    const { tail } = this.require(id);
    tail.withOperators = true;
    return { dispose: () => (tail.withOperators = false) };
  }

  /** Steps of the pictures that `pictures` gives, as far as the log was read. */
  pictureSteps(id: string): readonly number[] {
    return this.pictureLines(id).map(({ step }) => step);
  }

  /** The newest picture of the operators, as whole as there is one. */
  async newestPicture(id: string): Promise<OperatorSnapshot | undefined> {
    const { record, tail } = this.require(id);
    const last = tail.pictures.at(-1);
    const beside = await readPicture(join(record.folder, runFiles.picture));
    if (beside && beside.step >= (last?.step ?? 0)) return beside;
    const path = join(record.folder, runFiles.events);
    // A picture that cannot be read leaves the one before it as the newest.
    for (const line of tail.pictures.slice(-3).reverse()) {
      for await (const picture of readPictures(path, [line])) return picture;
    }
    return beside;
  }

  /** All pictures of the operators, oldest first; of very large logs some. */
  pictures(id: string): AsyncGenerator<OperatorSnapshot> {
    const { record } = this.require(id);
    return readPictures(join(record.folder, runFiles.events), this.pictureLines(id));
  }

  private pictureLines(id: string): readonly PictureLine[] {
    return thinPictures(this.require(id).tail.pictures);
  }

  /** Starts what waited for permission. */
  wake(): Promise<void> {
    return this.startNext();
  }

  /** Stops following; workers go on. */
  dispose(): void {
    this.ended = true;
    clearInterval(this.timer);
    this.watcher?.close();
    this.news.dispose();
    this.changesElsewhere.dispose();
    for (const { tail } of this.entries.values()) tail.dispose();
    this.changes.dispose();
  }

  private require(id: string): Entry {
    const entry = this.entries.get(id);
    if (entry) return entry;
    throw new UserError('This run is no longer known.', 'Look for its result in the workspace.');
  }

  private track(record: RunRecord): Entry {
    const entry: Entry = {
      record,
      sink: record,
      whole: undefined,
      tail: new EventTail(
        join(record.folder, runFiles.events),
        events => this.onEvents(entry, events),
        this.options.onError,
      ),
      started: undefined,
      exit: undefined,
      caughtUp: false,
      checking: false,
      releasing: Promise.resolve(),
    };
    this.entries.set(record.request.id, entry);
    return entry;
  }

  private onEvents(entry: Entry, events: readonly LoggedEvent[]): void {
    const { record } = entry;
    for (const event of events) entry.sink.apply(event);
    if (!entry.caughtUp) return;
    this.tell(entry, events, record.ended);
    if (record.ended) this.afterEnd(entry);
  }

  private afterEnd(entry: Entry): void {
    entry.tail.dispose();
    const { devices, onError } = this.options;
    entry.releasing = devices.release(entry.record.request.id).catch(onError);
    entry.releasing.then(() => this.startNext()).catch(onError);
  }

  private tell(entry: Entry, events: readonly LoggedEvent[] = [], endedNow = false): void {
    if (!this.ended) this.changes.fire({ run: entry.record, events, endedNow });
  }

  /** Starts the oldest waiting run of each device that nobody uses, in this window or another. */
  private async startWaiting(): Promise<void> {
    if (this.ended) return;
    await this.lookElsewhere();
    if (!this.options.mayStart()) return;
    for (const record of this.list().reverse()) {
      const entry = this.entries.get(record.request.id)!;
      if (record.status !== 'queued') continue;
      const waitsFor =
        this.holderOf(record) ?? (await this.options.devices.take(record.request, record.folder));
      if (waitsFor) this.queue(entry, waitsFor);
      else if (record.status === 'queued' && !this.ended) await this.launch(entry);
      // It was cancelled meanwhile.
      else await this.options.devices.release(record.request.id);
    }
  }

  /** The live run of this window that has the device of one that waits. */
  private holderOf({ request }: RunRecord): Holder | undefined {
    const own = this.list().find(
      ({ live, request: { engine } }) => live && shareDevice(engine, request.engine),
    );
    return own && { title: own.request.title };
  }

  /** Has a run wait, and says for whom. */
  private queue(entry: Entry, { title, window }: Holder): void {
    const { record } = entry;
    this.keepLooking();
    if (record.waitsFor?.title === title && record.waitsFor.window === window) return;
    record.waitsFor = window === undefined ? { title } : { title, window };
    this.tell(entry);
  }

  /** Follows what other windows tell of the devices. */
  private async watchOthers(): Promise<void> {
    const { devices } = this.options;
    await devices.prepare();
    if (this.ended) return;
    try {
      this.watcher = watch(devices.folder, () => this.news.run());
      this.watcher.on('error', () => this.watcher?.close());
    } catch {
      // Some file systems tell nothing: whoever waits looks from time to time.
    }
  }

  /** Learns which runs of other windows there are, and takes over those of our own folder. */
  private async lookElsewhere(): Promise<void> {
    const before = JSON.stringify(this.elsewhere);
    this.claims = await this.options.devices.list();
    for (const { id, folder } of this.claims) {
      const entry = this.entries.get(id);
      if (!entry && folder === join(this.options.folder, id)) {
        await this.restoreRun(id, folder).catch(this.options.onError);
      }
      if (entry?.record.status === 'queued') this.follow(entry);
    }
    if (this.elsewhere.length > 0) this.keepLooking();
    if (JSON.stringify(this.elsewhere) !== before && !this.ended) this.changesElsewhere.fire();
  }

  /** Follows a run of our own folder that another window has started. */
  private follow(entry: Entry): void {
    const { record } = entry;
    record.restart();
    this.startedAt.set(record.request.id, Date.now());
    this.watch(entry);
    this.tell(entry);
  }

  private async launch(entry: Entry): Promise<void> {
    const { record } = entry;
    record.restart();
    entry.exit = undefined;
    this.startedAt.set(record.request.id, Date.now());
    let started: StartedWorker;
    try {
      started = this.options.launcher.start(record.folder, end => {
        // A worker may end only after its run was taken up again by another.
        if (entry.started !== started) return;
        if ('cannotStart' in end) this.fail(entry, explainDeath(end));
        else {
          entry.exit = end;
          this.check(entry).catch(this.options.onError);
        }
      });
    } catch (error) {
      this.fail(entry, explainDeath({ cannotStart: String(error) }));
      return;
    }
    entry.started = started;
    this.watch(entry);
    this.tell(entry);
    const { pid } = started;
    if (pid !== undefined) {
      const worker = { pid, started: Date.now() };
      await this.options.devices.hold(record.request, record.folder, worker);
    }
    // Its end may have been told while that was written.
    if (!record.live) await this.options.devices.release(record.request.id);
  }

  private watch(entry: Entry): void {
    entry.tail.follow();
    this.keepLooking();
  }

  private keepLooking(): void {
    if (this.ended) return;
    this.timer ??= setInterval(() => {
      this.look().catch(this.options.onError);
    }, watchEvery);
  }

  /** Looks whether the workers of live runs are there, and whether a device came free elsewhere. */
  async look(): Promise<void> {
    const live = [...this.entries.values()].filter(({ record }) => record.live);
    await Promise.all(live.map(entry => this.check(entry)));
    if (this.list().some(({ status }) => status === 'queued')) await this.startNext();
    else await this.lookElsewhere();
  }

  /** Looks whether a live run's worker is there, and tells why it is not. */
  private async check(entry: Entry): Promise<void> {
    // The worker of a run that waits to be taken up again has ended before.
    if (entry.checking || !entry.record.live) return;
    entry.checking = true;
    try {
      const { record } = entry;
      const found = await this.options.launcher.find(record.folder);
      const { started, exit } = entry;
      // Another window may have started a worker too; the one that claimed the run works on it.
      const ended = exit && (!found || found.worker.pid === exit.pid) ? exit : undefined;
      if (!ended && found?.isAlive) return;
      // A worker of this host tells how it ended, if a little later.
      if (!exit && found && found.worker.pid === started?.pid) return;
      const since = Date.now() - (this.startedAt.get(record.request.id) ?? 0);
      if (!ended && !found && since < patience) return;
      // Its last words may not have been read yet.
      await entry.tail.catchUp();
      if (!record.live || entry.started !== started) return;
      const log = await files.logTail(record.folder);
      this.fail(entry, explainDeath({ ...ended, log }));
    } finally {
      entry.checking = false;
    }
  }

  private fail(entry: Entry, failure: { message: string; remedy: string }): void {
    const { record } = entry;
    if (record.ended) return;
    record.fail(failure);
    this.tell(entry, [], entry.caughtUp);
    this.afterEnd(entry);
  }

  private async forgetOld(): Promise<void> {
    const ended = this.list().filter(record => record.ended);
    const old = ended.slice(Math.max(0, this.options.keep()));
    await forEachSome(old, atOnce, ({ request }) => this.remove(request.id));
  }
}
