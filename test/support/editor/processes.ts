import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Environment variable that every process of a test's editor inherits, detached workers too. */
export const sessionVariable = 'LIGO_TEST_SESSION';

/** A loopback port that nobody listened on a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });

/** Process ids that carry this session's mark. */
export function sessionProcesses(session: string): number[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(
      pid => pid !== process.pid && environmentOf(pid).includes(`${sessionVariable}=${session}\0`),
    );
}

function environmentOf(pid: number): string {
  try {
    return `${readFileSync(`/proc/${pid}/environ`, 'latin1')}\0`;
  } catch {
    // It ended, or it is not ours.
    return '';
  }
}

/** Ends every process of a session, gently at first. */
export async function endSession(session: string, server?: ChildProcess): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const alive = sessionProcesses(session);
    if (alive.length === 0) break;
    alive.forEach(pid => signalProcess(pid, signal));
    for (let i = 0; i < 40 && sessionProcesses(session).length > 0; i++) await sleep(50);
  }
  server?.kill('SIGKILL');
}

/** The same in one stroke, for when a test process itself ends. */
export const killSession = (session: string): void =>
  sessionProcesses(session).forEach(pid => signalProcess(pid, 'SIGKILL'));

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between.
  }
}
