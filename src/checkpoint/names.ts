import { isAbsolute, win32 } from 'node:path';
import { harmless } from '../harmless';

/** Longest tensor name taken from a file, in characters; real ones stay below 200. */
const MAX_NAME_LENGTH = 1024;

/** A name out of a file, made safe and short enough to show in a message. */
export function quoted(name: string): string {
  return harmless(
    JSON.stringify(name.length > 80 ? `${name.slice(0, 24)}…${name.slice(-55)}` : name),
  );
}

function hasControlCharacter(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

/**
 * Whether a path out of a file stays inside the folder it is joined to, on every platform. Forward
 * slashes between plain parts are fine; TensorFlow's tensor names have them too.
 */
function leavesFolder(path: string): boolean {
  return (
    path.includes('\\') ||
    isAbsolute(path) ||
    win32.isAbsolute(path) ||
    /^[A-Za-z]:/.test(path) ||
    path.split('/').some(part => part === '..' || part === '.')
  );
}

/** Why a tensor may not be called that, as the end of a sentence, or undefined when it may. */
export function tensorNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.length > MAX_NAME_LENGTH) return `is longer than ${MAX_NAME_LENGTH} characters`;
  if (hasControlCharacter(name)) return 'contains control characters';
  if (/\p{Surrogate}/u.test(name)) return 'is not valid Unicode';
  if (name === '__proto__') return 'is reserved by JavaScript';
  if (leavesFolder(name)) return 'looks like a path';
  return undefined;
}

/** Why an index may not call a shard that, as the end of a sentence, or undefined when it may. */
export function shardNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.length > MAX_NAME_LENGTH) return `is longer than ${MAX_NAME_LENGTH} characters`;
  if (hasControlCharacter(name)) return 'contains control characters';
  if (leavesFolder(name)) return 'leads out of the folder of the index';
  return undefined;
}
