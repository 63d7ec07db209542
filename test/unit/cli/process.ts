import assert from 'node:assert/strict';
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './support';

/** The command line as people start it; `npm test` builds it before the tests run. */
export const builtCli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

/** Starts the built command line. */
export function start(
  args: readonly string[],
  nodeArgs: readonly string[] = [],
  options: SpawnOptions = {},
): ChildProcess {
  assert.ok(existsSync(builtCli), 'dist/cli.js is there (npm run build)');
  return spawn(process.execPath, [...nodeArgs, builtCli, ...args], options);
}

/** What a started command printed, once it ends. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const printed = { stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString()));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve(exit ?? (signal ? -1 : 0)));
  });
  return { code, ...printed };
}
