import type { Told } from './told';
import type { Schedule } from './model';

/** Where a training is to go on. */
export const launchers = ['accelerate', 'torchrun', 'slurm', 'skypilot', 'kubernetes'] as const;
export type Launcher = (typeof launchers)[number];

/** What stands between lines of text, in a word: a line feed, a token of the tokenizer's, or nothing. */
export const separatorWords = ['newline', 'eos', 'bos', 'none'] as const;
export type SeparatorWord = (typeof separatorWords)[number];

/** The machines that train on. */
export interface MachineFacts {
  readonly nodes: number;
  /** In each of them. */
  readonly gpus: number;
  /** Memory of each. */
  readonly gpuBytes: number;
}

/** What a job of Slurm asks for; Slurm decides what is absent. */
export interface SlurmFacts {
  readonly partition?: string | undefined;
  readonly time?: string | undefined;
  readonly account?: string | undefined;
}

/** What a line of `#SBATCH` takes without quotes. */
export const slurmForms: Readonly<Record<keyof SlurmFacts, RegExp>> = {
  partition: /^[\w.,+-]+$/,
  account: /^[\w.@+-]+$/,
  time: /^(\d+|(\d+-)?\d+(:\d\d){1,2}|\d+-\d+)$/,
};

/** What receipts beside a checkpoint say of how to train it on. */
export interface SaidByReceipts {
  readonly data?: string | undefined;
  readonly steps?: number | undefined;
  readonly learningRate?: number | undefined;
  readonly schedule?: Schedule | undefined;
  readonly batchSize?: number | undefined;
  readonly sequenceLength?: number | undefined;
}

/** What there is to know before a checkpoint is handed over. */
export interface HandoffOutlook {
  /** The latest receipt; absent where there is none. */
  readonly from?: string;
  readonly said: SaidByReceipts;
  /** Whether it has to be said what stands between lines of text, which no receipt says. */
  readonly asksSeparator: boolean;
  /** The schedule where neither a person nor a receipt says one. */
  readonly usualSchedule: Schedule;
}

/** A project that the editor asks for; what is absent, receipts say. */
export interface HandoffQuestion {
  readonly checkpoint: string;
  readonly to: Launcher;
  readonly out: string;
  readonly data: {
    /** Absolute. */
    readonly path: string;
    readonly batchSize?: number;
    readonly sequenceLength?: number;
    readonly separator?: SeparatorWord;
  };
  readonly steps?: number;
  readonly learningRate?: number;
  readonly schedule?: Schedule;
  readonly machines: MachineFacts;
  readonly slurm: SlurmFacts;
}

/** What was written. */
export interface Handoff {
  /** Names of the files. */
  readonly files: readonly string[];
  /** How weights and moments lie on the GPUs, with the arithmetic. */
  readonly memory: string;
  /** The held-out loss that a receipt gives for the same batches. */
  readonly expected?: { readonly loss: number; readonly from: string };
  /** What a person should know: of the checkpoint, of the data, and what does not carry over. */
  readonly notes: readonly Told[];
}
