import { fork, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fixedEnvironment } from '../../programs';
import { runFiles } from '../../protocol/runFolder';

/** Variables that steer VS Code's own processes or a debugger, or have Node load code of others. */
const foreign = /^(VSCODE_|ELECTRON_|NODE_(OPTIONS|PATH)$)/i;

/**
 * The environment of a process that is plain Node, also where VS Code runs on Electron. Programs are
 * found along the PATH alone: an editor that was started in a folder hands that one on as the current.
 */
export function nodeEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(from).filter(([name]) => !foreign.test(name));
  return {
    ...fixedEnvironment(Object.fromEntries(kept)),
    ELECTRON_RUN_AS_NODE: '1',
  };
}

/** Our program beside the host, and where its optional engines are installed. */
export interface WorkerProgram {
  readonly script: string;
  readonly engines: string;
}

const environmentOf = ({ engines }: WorkerProgram): NodeJS.ProcessEnv => ({
  ...nodeEnvironment(process.env),
  LIGO_ENGINE_FOLDER: engines,
});

/** Starts the helper that answers questions; it ends with the host. */
export const forkService = (worker: WorkerProgram): ChildProcess =>
  fork(worker.script, ['--serve'], {
    execPath: process.execPath,
    execArgv: [],
    cwd: dirname(worker.script),
    env: environmentOf(worker),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });

/** Starts a worker on a run folder; it goes on when the host ends. */
export function spawnRun(worker: WorkerProgram, nodePath: string, folder: string): ChildProcess {
  const log = openSync(join(folder, runFiles.log), 'a');
  try {
    const child = spawn(nodePath, [worker.script, folder], {
      detached: true,
      windowsHide: true,
      // Not the editor's current folder, which may be a workspace.
      cwd: folder,
      env: environmentOf(worker),
      stdio: ['ignore', log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}
