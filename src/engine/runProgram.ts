import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A program that is written in JavaScript, as it is started by a plain Node. */
export interface ProgramRun {
  readonly node: string;
  readonly script: string;
  readonly words: readonly string[];
  /** It works in this folder. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Told what the program prints, line by line. */
  readonly onLine: (line: string) => void;
}

/** How a program ended, and the last of what it printed. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Lines of a program's that are kept to explain a failure. */
const keptLines = 400;

/** Runs a program to its end. Cancelled, it ends with everything that it started. */
export function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  const { node, script, words, folder, environment, signal, onLine } = run;
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const child = spawn(node, [script, ...words], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      // Its own group, so that what it started ends with it.
      detached: process.platform !== 'win32',
    });
    const cancel = (): void => {
      if (child.pid === undefined) return;
      if (process.platform === 'win32') {
        endTree(child.pid);
      } else process.kill(-child.pid, 'SIGKILL');
    };
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', line => {
        lines.push(line);
        if (lines.length > keptLines) lines.shift();
        onLine(line);
      });
    }
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    child.once('error', reject);
    child.once('close', code => {
      signal.removeEventListener('abort', cancel);
      resolve({ code, lines });
    });
  });
}

/** Ends a process and those it started, on Windows, by the system's own program. */
function endTree(pid: number): void {
  const system = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32');
  spawn(join(system, 'taskkill.exe'), ['/pid', String(pid), '/T', '/F'], { windowsHide: true });
}
