import fs from 'node:fs';
import { sep } from 'node:path';

/** Calls of the host's own to the file system, by what they are called. */
export type FileCalls = ReadonlyMap<string, number>;

const looking = ['stat', 'lstat', 'access', 'readdir', 'realpath', 'readlink'];
const opening = ['open', 'readFile', 'createReadStream', 'copyFile'];

/** Names of the calls that read what is in a file. */
export const readingCalls = opening.flatMap(name => [name, `${name}Sync`]);

/** All calls together. */
export const total = (calls: FileCalls): number =>
  [...calls.values()].reduce((sum, count) => sum + count, 0);

/** Counts calls below a folder until it is asked for them, whoever in this process makes them. */
export function countFileCalls(folder: string): () => FileCalls {
  const counts = new Map<string, number>();
  const restore: (() => void)[] = [];
  const watch = (object: object, name: string): void => {
    const functions = object as Record<string, unknown>;
    const original = functions[name];
    if (typeof original !== 'function') return;
    functions[name] = function (this: unknown, ...args: unknown[]): unknown {
      const [path] = args;
      if (typeof path === 'string' && path.startsWith(folder + sep)) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      return Reflect.apply(original, this, args);
    };
    restore.push(() => (functions[name] = original));
  };
  for (const name of [...looking, ...opening]) {
    watch(fs.promises, name);
    watch(fs, name);
    watch(fs, `${name}Sync`);
  }
  return () => {
    for (const undo of restore) undo();
    return counts;
  };
}
