import { createHash } from 'node:crypto';
import { open, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors';

/** A right to write a path that no other process has; the system takes it back when we die. */
export interface OutputLock {
  release(): Promise<void>;
}

/** `O_EXLOCK | O_CREAT | O_NONBLOCK | O_RDWR` of macOS's and BSD's fcntl.h: opens with `flock`. */
const openLocked = 0x20 | 0x200 | 0x4 | 0x2;

/** Locks a path; see `tryToLock`. @throws UserError when another has it */
export async function lockOutput(path: string): Promise<OutputLock> {
  const lock = await tryToLock(path);
  if (lock) return lock;
  throw new UserError(
    `Another run is writing ${path}.`,
    'Wait until it ends or stop it, or choose another output folder.',
  );
}

/**
 * Locks a path in an existing folder against every other process on this machine, for as long as this
 * one lives or until `release`. The kernel holds the lock, so that nothing stale is left by a crash,
 * and no time or process id has to be judged: on Linux a socket in the abstract namespace, on Windows a
 * named pipe, which only one process can listen on; elsewhere a file opened with O_EXLOCK. Processes
 * on other machines, or in another container, that share the disk are not kept out.
 * @returns undefined when another has it
 */
export async function tryToLock(path: string): Promise<OutputLock | undefined> {
  const key = await keyOf(path);
  try {
    if (process.platform === 'linux') return await listen(`\0ligo-${key}`);
    if (process.platform === 'win32') return await listen(`\\\\.\\pipe\\ligo-${key}`);
    const handle = await open(join(tmpdir(), `ligo-${key}.lock`), openLocked, 0o600);
    return { release: () => handle.close() };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EADDRINUSE', 'EAGAIN', 'EWOULDBLOCK'].includes(code)) {
      // A system that has no such locks, such as some sandboxes: the output is whole or absent still.
      process.emitWarning(`${path} could not be locked against other processes: ${String(error)}`);
      return { release: () => Promise.resolve() };
    }
    return undefined;
  }
}

/** The same for all ways to name a path, whether it exists or not. */
async function keyOf(path: string): Promise<string> {
  const name = basename(path);
  // These systems hold names of either case for the same.
  const sameName = ['darwin', 'win32'].includes(process.platform) ? name.toLowerCase() : name;
  const text = join(await realpath(dirname(path)), sameName.normalize('NFC'));
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function listen(name: string): Promise<OutputLock> {
  const server = createServer(socket => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: name, exclusive: true }, () => {
      // A lock is no work that a process should wait for.
      server.unref();
      resolve({ release: () => new Promise(done => server.close(() => done())) });
    });
  });
}
