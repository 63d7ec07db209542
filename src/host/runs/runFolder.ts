import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { readEnd, readTextFile } from '../../files';
import {
  runFiles,
  type RunCommand,
  type WorkerProcess,
  type WorkerRequest,
} from '../../protocol/runFolder';
import { runControl, workerProcess, workerRequest } from '../../protocol/runFolderSchemas';

interface Check<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

/** Bytes of a JSON file of a run at most: requests are a few thousand. */
const largestJson = 1 << 20;

/** A JSON file of a run; undefined when it is missing, damaged or something else. */
export async function readChecked<T>(path: string, check: Check<T>): Promise<T | undefined> {
  try {
    const parsed = check.safeParse(JSON.parse(await readTextFile(path, largestJson)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // A run folder may be anything by the time a host finds it; what cannot be read is not there.
    return undefined;
  }
}

/** Replaces a JSON file so that no reader sees half of it. */
export async function replaceJson(path: string, content: unknown): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

export const readRequest = (folder: string): Promise<WorkerRequest | undefined> =>
  readChecked(join(folder, runFiles.request), workerRequest);

export const writeRequest = (folder: string, request: WorkerRequest): Promise<void> =>
  replaceJson(join(folder, runFiles.request), request);

/** What was last asked of a run. */
export const readCommand = async (folder: string): Promise<RunCommand> =>
  (await readChecked(join(folder, runFiles.control), runControl))?.command ?? 'run';

export const writeCommand = (folder: string, command: RunCommand): Promise<void> =>
  replaceJson(join(folder, runFiles.control), { command });

export const readProcess = (folder: string): Promise<WorkerProcess | undefined> =>
  readChecked(join(folder, runFiles.process), workerProcess);

/** Whether a process of this id runs on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the worker of a run is still there: a process id may be another's by now. */
export async function isAlive(worker: WorkerProcess, folder: string): Promise<boolean> {
  // Process ids begin anew with every start of the machine; a minute is for clocks that were set.
  if (worker.started < Date.now() - uptime() * 1000 - 60_000) return false;
  if (!isRunning(worker.pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    const words = (await readFile(`/proc/${worker.pid}/cmdline`, 'utf8')).split('\0');
    // A child that ended but was not waited for has no command line any more.
    return words.includes(folder);
  } catch {
    return false;
  }
}

/** The last lines of what the worker printed, for people who wonder why it died. */
export async function logTail(folder: string, bytes = 4000): Promise<string> {
  try {
    return (await readEnd(join(folder, runFiles.log), bytes))?.bytes.toString('utf8') ?? '';
  } catch {
    return '';
  }
}

/** Whether a path leads to something. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
