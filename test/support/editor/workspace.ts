import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
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

/**
 * So many files of every format: those that are only called alike in the folder to open, all others beside it in
 * `-content`, for a test to move in. Editors on Linux see no changes below a folder that was moved in whole.
 */
export function largeWorkspace(files: number): TestWorkspace {
  const parent = mkdtempSync(join(tmpdir(), 'ligo-ws-'));
  const folder = join(parent, 'workspace');
  mkdirSync(folder);
  fillLargeWorkspace(`${folder}-content`, files);
  renameSync(join(`${folder}-content`, 'data'), join(folder, 'data'));
  return {
    folder,
    path: (...names) => join(folder, ...names),
    remove: () => rmSync(parent, { recursive: true, force: true, maxRetries: 5 }),
  };
}
