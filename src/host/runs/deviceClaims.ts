import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { EngineChoice } from '../../protocol/engines';
import type { DeviceClaim, WorkerProcess, WorkerRequest } from '../../protocol/runFolder';
import { deviceClaim } from '../../protocol/runFolderSchemas';
import { isAlive, isRunning, readChecked, replaceJson } from './runFolder';

/** Milliseconds from a claim to the start of its worker at most; what takes longer is given up. */
const patience = 30_000;

/** Whether two runs may want the same device: the CPU, the GPU, or either where nobody chose. */
export const shareDevice = (a: EngineChoice, b: EngineChoice): boolean =>
  a === 'auto' || b === 'auto' || (a === 'cpu') === (b === 'cpu');

/**
 * How the windows of one machine tell each other which runs hold its devices: a file a run in a folder
 * that all windows share. A claim counts while its worker lives, so a window that is closed or dies
 * leaves nothing that has to be judged by its age.
 */
export class DeviceClaims {
  /**
   * @param folder the same in all windows
   * @param window what people call this window by; empty where no folder is open in it
   */
  constructor(
    readonly folder: string,
    private readonly window: () => string,
  ) {}

  /** Makes the folder, so that it can be watched. */
  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
  }

  /** Every claim that counts; those that no longer do are removed. */
  async list(): Promise<DeviceClaim[]> {
    const names = await readdir(this.folder).catch(() => [] as string[]);
    const claims = await Promise.all(
      names
        .filter(name => name.endsWith('.json'))
        .map(name => this.read(name.slice(0, -'.json'.length))),
    );
    return claims
      .flatMap(claim => claim ?? [])
      .sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
  }

  /**
   * Takes a device for a run that is about to start. Gives the claim that stands in the way, if any:
   * the run has to wait then. Whoever takes one says so first and looks at the others again after it, so
   * that of two windows at most one goes on.
   */
  async take(request: WorkerRequest, folder: string): Promise<DeviceClaim | undefined> {
    const first = await this.inTheWayOf(request);
    if (first) return first;
    await this.write(request, folder);
    const second = await this.inTheWayOf(request);
    if (second) await this.release(request.id);
    return second;
  }

  /** Says that the worker of a run has started, or that one is there still. */
  async hold(request: WorkerRequest, folder: string, worker: WorkerProcess): Promise<void> {
    await this.write(request, folder, worker);
  }

  /** Lets go of a run's device. */
  async release(id: string): Promise<void> {
    await rm(this.path(id), { force: true });
  }

  private async inTheWayOf(request: WorkerRequest): Promise<DeviceClaim | undefined> {
    return (await this.list()).find(
      ({ id, engine }) => id !== request.id && shareDevice(engine, request.engine),
    );
  }

  private path(id: string): string {
    return join(this.folder, `${id}.json`);
  }

  private async write(
    { id, title, engine }: WorkerRequest,
    folder: string,
    worker?: WorkerProcess,
  ): Promise<void> {
    await this.prepare();
    const claim: DeviceClaim = {
      version: 1,
      id,
      title,
      engine,
      folder,
      machine: hostname(),
      window: this.window(),
      host: process.pid,
      since: Date.now(),
      ...(worker && { worker }),
    };
    await replaceJson(this.path(id), claim);
  }

  private async read(id: string): Promise<DeviceClaim | undefined> {
    const claim = await readChecked(this.path(id), deviceClaim);
    // Storage may be shared by machines, whose devices are their own.
    if (claim?.id !== id || claim.machine !== hostname()) return undefined;
    const { worker, folder, host, since } = claim;
    const counts = worker
      ? await isAlive(worker, folder)
      : Date.now() - since < patience && isRunning(host);
    if (counts) return claim;
    await this.release(id);
    return undefined;
  }
}
