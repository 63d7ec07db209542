import { runCommandLine } from '../../../src/cli/program';
import type { RunEvent } from '../../../src/protocol/events';
import { builtCli } from './process';

/** What a command left: its exit code and everything it printed. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process. */
export async function cli(...args: string[]): Promise<Outcome> {
  const printed = { stdout: '', stderr: '' };
  const output = (which: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      printed[which] += text;
    },
  });
  const code = await runCommandLine(args, {
    stdout: output('stdout'),
    stderr: output('stderr'),
    signal: new AbortController().signal,
    now: () => Date.UTC(2026, 0, 1),
    script: builtCli,
  });
  return { code, ...printed };
}

/** Every line of JSON that a command printed. */
export const jsonLines = (text: string): RunEvent[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as RunEvent);
