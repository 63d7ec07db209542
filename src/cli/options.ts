import { Option, type Command } from 'commander';
import { UsageError } from '../errors';
import {
  conversionFormats,
  ggufTypes,
  type ConversionFormat,
  type GgufType,
} from '../protocol/conversion';
import { givenSizes } from '../protocol/model';
import { engineChoices } from '../protocol/engines';
import type { Target } from '../run/plan/plan';
import { byteSize, finiteNumber, oneOf, shareBelowOne, wholeNumber, type Parse } from './values';

/** Adds an option whose value is parsed, once, wherever several commands share it. */
export function addOption<T>(
  command: Command,
  flags: string,
  description: string,
  parse: (option: string) => Parse<T>,
  preset?: T,
): Command {
  const option = new Option(flags, description);
  option.argParser(parse(option.long!));
  if (preset !== undefined) option.default(preset);
  return command.addOption(option);
}

/** Parsers by what an option takes. */
export const takes = {
  count: (option: string) => wholeNumber(option, 1),
  countOrNone: (option: string) => wholeNumber(option, 0),
  countOfTokens: (option: string) => wholeNumber(option, 2),
  rate: (option: string) => finiteNumber(option, { positive: true }),
  share: (option: string) => shareBelowOne(option),
  amount: (option: string) => finiteNumber(option, { positive: false }),
  bytes: byteSize,
  word:
    <T extends string>(words: readonly T[]) =>
    (option: string) =>
      oneOf(option, words),
};

/** Options of every command. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Adds the options of every command. */
export const addOutputOptions = (command: Command): Command =>
  command
    .option('--json', 'print JSON instead of text')
    .option('--verbose', 'show every step, and the stack of an error');

/** The target as options name it. */
export interface TargetOptions {
  readonly layers?: number;
  readonly hidden?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly ffn?: number;
  readonly config?: string;
  readonly dropHead?: boolean;
}

/** Adds the options that name a target. */
export function addTargetOptions(command: Command): Command {
  addOption(command, '--layers <n>', 'layers of the grown model', takes.count);
  addOption(command, '--hidden <n>', 'hidden units of the grown model', takes.count);
  addOption(command, '--heads <n>', 'attention heads; by default the head size stays', takes.count);
  addOption(
    command,
    '--kv-heads <n>',
    'heads with keys and values of their own, where heads share them; by default the ratio stays',
    takes.count,
  );
  addOption(command, '--ffn <n>', 'feed-forward units; by default the ratio stays', takes.count);
  command.option('--config <file>', 'config.json of the model to grow into, instead');
  return addDropHeadOption(command);
}

/** Adds `--drop-head`. */
export const addDropHeadOption = (command: Command): Command =>
  command.option('--drop-head', 'leave out tensors that are no part of a known model class');

/** Throws UsageError when the target is not named, or named twice. */
export function targetOf({ dropHead, ...options }: TargetOptions): Target {
  return { ...sizesOf(options), ...(dropHead && { dropHead }) };
}

function sizesOf({ config, ...asked }: TargetOptions): Target {
  const sizes = givenSizes(asked);
  const named = Object.keys(sizes);
  if (config === undefined && named.length === 0) {
    throw new UsageError(
      'The target is not named.',
      'Give --layers and --hidden, or --config with the config.json of the model to grow into.',
    );
  }
  if (config === undefined) return sizes;
  if (named.length > 0) {
    throw new UsageError(
      `--config and --${named[0]} both name the target.`,
      'Give either sizes or a config.json.',
    );
  }
  return { config };
}

/** Adds the options that say what computes. */
export function addEngineOptions(command: Command): Command {
  const words = `what computes: ${engineChoices.join(', ')}`;
  addOption(command, '--engine <name>', words, takes.word(engineChoices), 'auto');
  addOption(command, '--threads <n>', 'threads of the CPU engine', takes.count);
  addOption(
    command,
    '--precision <kind>',
    'of matrix products on a GPU: float32, or mixed for float16',
    takes.word(['float32', 'mixed'] as const),
  );
  return addEngineFolderOption(command);
}

/** Adds `--engine-folder`. */
export const addEngineFolderOption = (command: Command): Command =>
  command.option('--engine-folder <folder>', 'where optional engines are installed');

/** Where results go. */
export interface OutOptions {
  readonly out: string;
  readonly overwrite?: boolean;
  readonly maxShardSize?: number;
}

/** Adds the options that say where results go. */
export function addOutOptions(command: Command): Command {
  command
    .requiredOption('--out <folder>', 'folder to write; whole or absent')
    .option('--overwrite', 'replace the folder if it exists');
  return addOption(
    command,
    '--max-shard-size <size>',
    'most bytes of weights in one file, such as 500MB or 5GB',
    takes.bytes,
  );
}

/** The part of a request that says where results go. */
export const outOf = ({ out, overwrite, maxShardSize }: OutOptions) => ({
  out,
  overwrite: overwrite ?? false,
  maxShardBytes: maxShardSize,
});

/** How a model is written besides safetensors. */
export interface FormatOptions {
  readonly format: ConversionFormat;
  readonly outtype?: GgufType;
}

const outtypeHelp = `how a GGUF file stores matrices: ${ggufTypes.join(', ')}; f16 by default`;

/** Adds `--format` and `--outtype` to what writes a model of its own. */
export function addFormatOptions(command: Command): Command {
  const help = 'safetensors; gguf writes the model as a GGUF file for llama.cpp beside them';
  addOption(command, '--format <name>', help, takes.word(conversionFormats), 'safetensors');
  return addOuttypeOption(command);
}

/** Adds `--outtype`. */
export const addOuttypeOption = (command: Command): Command =>
  addOption(command, '--outtype <type>', outtypeHelp, takes.word(ggufTypes));

/** The type of the GGUF file that is asked for. @throws UsageError for a type without such a file */
export function ggufOf({ format, outtype }: FormatOptions): GgufType | undefined {
  if (format === 'gguf') return outtype ?? 'f16';
  if (outtype === undefined) return undefined;
  throw new UsageError(
    '--outtype is for GGUF files: in safetensors every tensor keeps its type.',
    'Leave --outtype out, or give --format gguf.',
  );
}

/** Options of runs that take steps. */
export interface StepOptions {
  readonly steps: number;
  readonly learningRate?: number;
  readonly warmup?: number;
  readonly weightDecay?: number;
  readonly accumulate?: number;
  readonly recompute?: boolean;
  readonly schedule?: 'constant' | 'linear' | 'cosine';
}

/** Adds the options of runs that take steps. */
export function addStepOptions(command: Command): Command {
  addOption(command, '--steps <n>', 'training steps', takes.count, 100);
  addOption(command, '--learning-rate <rate>', 'peak learning rate', takes.rate);
  addOption(command, '--warmup <n>', 'steps of warm-up; by default a tenth', takes.countOrNone);
  addOption(command, '--weight-decay <amount>', 'AdamW weight decay', takes.amount);
  addOption(command, '--accumulate <n>', 'batches whose gradients make one update', takes.count);
  command.option('--recompute', 'compute activations twice instead of keeping them');
  const schedules = takes.word(['constant', 'linear', 'cosine'] as const);
  return addOption(command, '--schedule <kind>', 'constant, linear or cosine', schedules);
}

/** The part of settings that says what to do when memory is short. */
export const memorySettingsOf = ({ accumulate, recompute }: StepOptions) => ({
  ...(accumulate !== undefined && { accumulate }),
  ...(recompute && { recompute }),
});

/** What `--save-every` does, wherever it is an option. */
export const saveEveryHelp =
  'steps between saves of a state for --resume, in case of a kill; a stop always saves';

const optimizerStateHelp =
  'continue: go on with the optimizer’s state beside the checkpoint (as where there is one); reset: with a fresh one';

/** Adds `--optimizer-state` to what trains on. */
export const addOptimizerStateOption = (command: Command): Command =>
  addOption(
    command,
    '--optimizer-state <what>',
    optimizerStateHelp,
    takes.word(['continue', 'reset'] as const),
  );

/** Adds `--seed`. */
export const addSeedOption = (command: Command): Command =>
  addOption(command, '--seed <n>', 'decides all that is random', takes.countOrNone, 0);
