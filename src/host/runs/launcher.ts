import type { ChildProcess } from 'node:child_process';
import type { WorkerProcess } from '../../protocol/runFolder';
import { isAlive, readProcess } from './runFolder';

/** How a worker ended that this host has started. */
export interface WorkerExit {
  readonly pid: number | undefined;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A worker that this host has started. */
export interface StartedWorker {
  /** Absent where it did not start. */
  readonly pid: number | undefined;
}

/** A worker that has claimed a run, whoever started it. */
export interface FoundWorker {
  readonly worker: WorkerProcess;
  readonly isAlive: boolean;
}

/** Where runs are worked on: starts their workers, and finds those that were started before. */
export interface Launcher {
  /** Starts a worker on a run folder; `onEnd` is told once, later, how it ended or why it did not start. */
  start(
    folder: string,
    onEnd: (end: WorkerExit | { readonly cannotStart: string }) => void,
  ): StartedWorker;
  /** The worker of a run; undefined until one has claimed it. */
  find(folder: string): Promise<FoundWorker | undefined>;
}

/** Workers are processes of this machine, which go on when the editor ends. */
export const localLauncher = (spawn: (folder: string) => ChildProcess): Launcher => ({
  start(folder, onEnd) {
    const child = spawn(folder);
    const { pid } = child;
    child.once('error', ({ message }) => onEnd({ cannotStart: message }));
    child.once('exit', (code, signal) => onEnd({ pid, code, signal }));
    return { pid };
  },
  async find(folder) {
    const worker = await readProcess(folder);
    return worker && { worker, isAlive: await isAlive(worker, folder) };
  },
});
