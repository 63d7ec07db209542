import type { Evaluation, LossUnit } from './evaluation';
import type { ModelSummary } from './model';

/** Names of the files in the output folder of a comparison. */
export const comparisonFiles = { data: 'report.json', page: 'report.html' } as const;

/** The method that all others are measured against: training from scratch. */
export const yardstick = 'random' as const;

/** Held-out scores in the course of a training. */
export interface CurvePoint extends Evaluation {
  /** Updates of the large model. */
  readonly step: number;
  /** Floating-point operations spent so far; evaluations are not counted. */
  readonly flops: number;
  /** Seconds spent in steps so far; evaluations are not counted. */
  readonly seconds: number;
}

/** One point of a method's curve: what was spent includes the growth. */
export interface MethodPoint extends CurvePoint {
  /** `flops` by the convention of the paper. */
  readonly paperFlops: number;
}

/** What the growth of a run told, before the training of its large model. */
export interface GrownRun {
  /** Of the small model, on the same held-out data. */
  readonly small: Evaluation;
  /** Grown against small logits on one held-out batch. */
  readonly parity?: { readonly relativeError: number; readonly agreement?: number };
  readonly growth: {
    /** Updates of the operators; 0 for methods that learn nothing. */
    readonly steps: number;
    readonly flops: number;
    readonly paperFlops: number;
    /** Learning, and making the weights. */
    readonly seconds: number;
  };
  readonly warnings: readonly string[];
}

/** One method with one seed, to the end of its training. */
export interface FinishedRun extends GrownRun {
  readonly state: 'finished';
  readonly method: string;
  readonly seed: number;
  /** The first point is the grown model before any training of its own. */
  readonly curve: readonly MethodPoint[];
  /** SHA-256 of what the run was given: its training batches in order, and the held-out batches. */
  readonly fed: { readonly training: string; readonly evaluation: string };
}

/** A run that could not be made, with why. */
export interface FailedRun {
  readonly state: 'failed';
  readonly method: string;
  readonly seed: number;
  readonly message: string;
  readonly remedy: string;
}

export type ComparisonRun = FinishedRun | FailedRun;

/** Mean over seeds with the smallest and the largest. */
export interface Spread {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** 1 − method / scratch, each to the first reach of the scratch run's final held-out loss. */
export interface Savings {
  readonly flops: number;
  readonly paperFlops: number;
  readonly seconds: number;
  /** FLOPs again, with the small model's own training counted as the method's; absent when unknown. */
  readonly flopsWithSmall?: number;
}

/** What one seed of a method saved. */
export interface SeedSavings {
  readonly seed: number;
  /** Held-out loss that the scratch run of the same seed ended with. */
  readonly target: number;
  /** Absent when the run never reached the target. */
  readonly savings?: Savings;
  /** Training steps to the target, interpolated between evaluations. */
  readonly steps?: number;
}

/** A method over all its seeds. */
export interface MethodSummary {
  readonly method: string;
  readonly title: string;
  readonly does: string;
  readonly source: string;
  readonly seeds: readonly SeedSavings[];
  /** Of the seeds that finished. */
  readonly finished: number;
  /** Of those, how many reached the target; `savings` are the mean over all of them or absent. */
  readonly reached: number;
  readonly savings?: {
    readonly flops: Spread;
    readonly paperFlops: Spread;
    readonly seconds: Spread;
    readonly flopsWithSmall?: Spread;
  };
  /** Held-out losses before and after training; absent when no seed finished. */
  readonly start?: Spread;
  readonly end?: Spread;
  /** ‖grown − small‖ / ‖small‖ over logits. */
  readonly parity?: Spread;
  readonly growthSeconds?: Spread;
  readonly failures: readonly FailedRun[];
}

/** Which trained models a comparison leaves beside its report. */
export type Keep = 'winner' | 'all' | 'none';

/** A trained model that lies beside a report. */
export interface KeptModel {
  readonly method: string;
  readonly seed: number;
  /** In the folder of the report. */
  readonly folder: string;
  /** Held-out, that its training ended with. */
  readonly loss: number;
}

/** report.json: everything that the comparison measured, and how. */
export interface ComparisonReport {
  readonly version: 1;
  readonly software: { readonly name: string; readonly version: string };
  readonly created: string;
  /** SHA-256 of what was found, without times, paths and the machine; absent in reports of before. */
  readonly digest?: string;
  /** A command line that repeats it; absent when it was not started by one. */
  readonly command?: string;
  readonly source: ModelSummary & { readonly path: string; readonly sha256: string };
  readonly target: ModelSummary;
  readonly data: {
    readonly path: string;
    readonly sha256: string;
    readonly heldOut: string;
    readonly unit: 'tokens' | 'images' | 'texts';
    readonly batchSize: number;
    readonly sequenceLength: number;
    readonly evaluationBatches: number;
    /** What was put between lines of text. */
    readonly separator?: string;
  };
  readonly settings: {
    readonly steps: number;
    readonly evaluateEvery: number;
    readonly seeds: readonly number[];
    readonly training: Readonly<Record<string, unknown>>;
    /** Settings of learning, by method; none for methods that learn nothing. */
    readonly growth: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  readonly machine: {
    readonly engine: { readonly name: string; readonly device: string };
    readonly processor: string;
    readonly cores: number;
    /** Runs that computed at the same time, which their seconds show. */
    readonly parallel: number;
  };
  /** The small model's own training; absent when nobody said what it was. */
  readonly smallTraining?: {
    readonly steps: number;
    readonly batchSize?: number;
    /** Exact. */
    readonly flops: number;
    /** Who said so: "the options", or the file that does. */
    readonly from: string;
  };
  /** FLOPs of one step of the large model. */
  readonly flopsPerStep: { readonly exact: number; readonly paper: number };
  /** Held-out scores of the small model; absent when no run finished. */
  readonly small?: Evaluation;
  readonly runs: readonly ComparisonRun[];
  /** Trained models beside the report, the winner's first; absent where none are kept. */
  readonly models?: readonly KeptModel[];
  /** Largest saving of FLOPs first; then those that never reached the target, best end first. */
  readonly methods: readonly MethodSummary[];
  /** True when all methods of each seed were given the same batches in the same order. */
  readonly sameBatches: boolean;
  /** What a reader must know before believing the savings. */
  readonly notes: readonly { readonly message: string; readonly remedy: string }[];
}

/** What a comparison reports while it runs. */
export type ComparisonEvent =
  | {
      readonly type: 'comparison';
      readonly method: string;
      readonly seed: number;
      readonly phase: 'growth' | 'training';
      /** Updates in this phase. */
      readonly step: number;
      readonly steps: number;
      /** Held-out loss while training; while growing, that of the step's batch. */
      readonly loss: number;
      /** Spent since the growth began. */
      readonly flops: number;
      readonly seconds: number;
    }
  | {
      /** How far a training has come since it was evaluated: twice a second at most. */
      readonly type: 'comparisonStep';
      readonly method: string;
      readonly seed: number;
      /** Updates of the large model. */
      readonly step: number;
      readonly steps: number;
      /** Spent since the growth began. */
      readonly seconds: number;
    }
  | {
      readonly type: 'comparisonRun';
      readonly method: string;
      readonly seed: number;
      readonly state: 'started' | 'finished' | 'failed';
      /** Runs that ended so far, this one too if it did. */
      readonly ended: number;
      readonly runs: number;
      /** Held-out loss of the small model, once a run finished. */
      readonly smallLoss?: number;
      readonly lossUnit?: LossUnit;
      /** Why it failed. */
      readonly message?: string;
    };
