import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
