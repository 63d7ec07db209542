import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillLargeWorkspace } from '../largeWorkspace';
import { repository } from './installation';

/** A folder to open, with what a test needs in it. */
export interface TestWorkspace {
  readonly folder: string;
  readonly path: (...names: readonly string[]) => string;
  readonly remove: () => void;
}

/** Copies examples into a temporary folder: all of them, or the ones named. */
export function examplesWorkspace(...only: readonly string[]): TestWorkspace {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-ws-'));
  const examples = join(repository, 'examples');
  if (only.length === 0) cpSync(examples, folder, { recursive: true });
  for (const name of only) cpSync(join(examples, name), join(folder, name), { recursive: true });
  return {
    folder,
    path: (...names) => join(folder, ...names),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** An empty folder to open, and beside it `-content`: so many files of every format, for a test to move in. */
export function largeWorkspace(files: number): TestWorkspace {
  const parent = mkdtempSync(join(tmpdir(), 'ligo-ws-'));
  const folder = join(parent, 'workspace');
  mkdirSync(folder);
  fillLargeWorkspace(`${folder}-content`, files);
  return {
    folder,
    path: (...names) => join(folder, ...names),
    remove: () => rmSync(parent, { recursive: true, force: true, maxRetries: 5 }),
  };
}
