import { harmless } from '../harmless';

/** Somewhere text goes: a terminal, a pipe, or a test's list. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/** What a command may touch of the process it runs in; tests give their own. */
export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Resolves when all output so far has left, or failed to; at once where that is of no interest. */
  readonly written?: () => Promise<void>;
  /** Aborted by Ctrl-C, and when output can go nowhere. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The script that Node runs us by, for work that needs a process of its own. */
  readonly script: string;
}

/** Writes a line of text for people to standard output. */
export const printLine = ({ stdout }: Host, text: string): void =>
  void stdout.write(`${harmless(text)}\n`);

/** Writes a line of text for people to standard error. */
export const printError = ({ stderr }: Host, text: string): void =>
  void stderr.write(`${harmless(text)}\n`);
