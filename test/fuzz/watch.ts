import children from 'node:child_process';
import files, { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const starting = ['exec', 'execSync', 'execFile', 'execFileSync', 'fork', 'spawn', 'spawnSync'];
const writing = ['appendFile', 'copyFile', 'cp', 'link', 'mkdir', 'open', 'rename', 'rm', 'rmdir'];
const alsoWriting = ['symlink', 'truncate', 'unlink', 'writeFile', 'createWriteStream'];
/** What is changed of a call with two paths is the second. */
const ofTwo = /^(copyFile|cp|link|rename|symlink)/;

/** What readers did that no reader may do. */
export interface Watch {
  /** What was seen since the last call, if anything. */
  readonly seen: () => string | undefined;
}

/**
 * Watches this process from now on for programs that it starts, and for files that it changes outside of
 * its folders; neither is let through. Modules that are loaded late go to the cache of their loader.
 */
export function watch(folders: readonly string[]): Watch {
  let seen: string | undefined;
  const cache = join(tmpdir(), 'tsx-');
  const stop = (what: string): never => {
    seen ??= what;
    throw new Error(what);
  };
  const isInside = (path: unknown): boolean => {
    const whole = resolve(path instanceof URL ? fileURLToPath(path) : String(path));
    return (
      folders.some(
        folder => whole === resolve(folder) || whole.startsWith(resolve(folder) + sep),
      ) || whole.startsWith(cache)
    );
  };
  const replace = (of: object, name: string, check: (args: unknown[]) => void): void => {
    const all = of as Record<string, unknown>;
    const call = all[name];
    if (typeof call !== 'function') return;
    all[name] = function (this: unknown, ...args: unknown[]): unknown {
      check(args);
      return Reflect.apply(call, this, args) as unknown;
    };
  };
  for (const name of starting) {
    replace(children, name, ([what]) => stop(`it started ${String(what)}`));
  }
  for (const name of [...writing, ...alsoWriting]) {
    const check = (args: unknown[]): void => {
      const [path, flags = 'r'] = ofTwo.test(name) ? args.slice(1) : args;
      const isRead = name === 'open' && !/[wa+]/.test(String(flags)) && !changes(flags);
      if (typeof path !== 'number' && !isRead && !isInside(path)) {
        stop(`it wrote to ${String(path)} (${name})`);
      }
    };
    replace(promises, name, check);
    replace(files, name, check);
    replace(files, `${name}Sync`, check);
  }
  syncBuiltinESMExports();
  return {
    seen() {
      const what = seen;
      seen = undefined;
      return what;
    },
  };
}

/** Whether flags as a number open a file to change it. */
const changes = (flags: unknown): boolean =>
  typeof flags === 'number' &&
  (flags & (files.constants.O_WRONLY | files.constants.O_RDWR | files.constants.O_CREAT)) !== 0;
