import type { Command } from 'commander';
import { UsageError } from '../errors';
import { separatorWords } from '../protocol/handoff';
import type { DataOptions } from '../run/open/openData';
import { addOption, takes } from './options';

const separators = ['auto', ...separatorWords] as const;

/** Sizes of a batch as options name them. */
export interface BatchOptions {
  readonly batch?: number;
  readonly sequenceLength?: number;
}

/** Data as options name it. */
export interface DataFlags extends BatchOptions {
  readonly data?: string;
  readonly evalData?: string;
  readonly evalBatches?: number;
  readonly leaveOutBroken?: boolean;
  readonly lineSeparator: (typeof separators)[number];
  readonly seed: number;
}

/** Adds the options that size a batch. */
export function addBatchOptions(command: Command): Command {
  addOption(command, '--batch <n>', 'sequences or images a step', takes.count);
  return addOption(command, '--sequence-length <n>', 'tokens a sequence', takes.countOfTokens);
}

/** Adds the options that say what to learn from. */
export function addDataOptions(command: Command): Command {
  command
    .option('--data <path>', 'a text file, a folder of text, or an image set')
    .option('--eval-data <path>', 'data to evaluate on; by default a part of --data is held out');
  command.option('--leave-out-broken', 'leave out images that cannot be read, and say which');
  addBatchOptions(command);
  addOption(command, '--eval-batches <n>', 'held-out batches to evaluate on', takes.count);
  return addOption(
    command,
    '--line-separator <kind>',
    'what joins lines of text for causal models: auto, newline, eos, bos or none',
    takes.word(separators),
    'auto',
  );
}

/** Where data comes from; undefined when no data is named. */
export async function dataOf(
  checkpoint: string,
  flags: DataFlags,
): Promise<DataOptions | undefined> {
  if (flags.data === undefined) return undefined;
  return { data: flags.data, seed: flags.seed, ...(await cutOf(checkpoint, flags)) };
}

/** How data is cut and read, wherever it comes from. */
export const cutOf = async (
  checkpoint: string,
  flags: Omit<DataFlags, 'data' | 'seed'>,
): Promise<Omit<DataOptions, 'data' | 'seed'>> => ({
  evaluationData: flags.evalData,
  batchSize: flags.batch,
  sequenceLength: flags.sequenceLength,
  evaluationBatches: flags.evalBatches,
  leaveOutBroken: flags.leaveOutBroken,
  separator: await separatorOf(checkpoint, flags.lineSeparator),
});

/** Throws UsageError when no data is named. */
export async function requiredDataOf(checkpoint: string, flags: DataFlags): Promise<DataOptions> {
  const data = await dataOf(checkpoint, flags);
  if (data) return data;
  throw new UsageError('No data is named.', 'Give --data a text file, a folder or an image set.');
}

async function separatorOf(
  checkpoint: string,
  kind: DataFlags['lineSeparator'],
): Promise<DataOptions['separator']> {
  if (kind === 'auto') return undefined;
  const { namedSeparator } = await import('../run/open/namedSeparator');
  return namedSeparator(checkpoint, kind);
}
