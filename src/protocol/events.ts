import type { Note } from '../errors';
import type { ComparisonEvent, KeptModel } from './comparison';
import type { EvaluatedModel, Evaluation } from './evaluation';
import type { ModelSummary } from './model';

/** What a growth would do and cost, known before anything runs. */
export interface GrowthPlan {
  readonly source: ModelSummary;
  readonly target: ModelSummary;
  readonly operators: { readonly count: number; readonly width: number; readonly depth: number };
  readonly refusals: readonly { readonly reason: string; readonly remedy: string }[];
  /** Tensors of the source that are left out, each with why. */
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
  /** What a person should know of the source before it is grown; older logs have none. */
  readonly notes?: readonly Note[];
  /** Absent when the growth is refused, or when the model cannot be trained as it is. */
  readonly cost?: {
    readonly steps: number;
    /** Floating-point operations of one step, exact for matrix products. */
    readonly flopsPerStep: number;
    readonly flops: number;
    /** Estimated most bytes alive in one step, weights included. */
    readonly peakBytes: number;
    /** Of these, the small model's weights; then operators and their moments. Older logs have neither. */
    readonly frozenBytes?: number;
    readonly stateBytes?: number;
    /** Estimated most bytes that a process takes which computes in main memory. */
    readonly processBytes?: number;
    readonly batchSize: number;
    readonly sequenceLength: number;
  };
  /** Bytes the grown checkpoint takes on disk. */
  readonly diskBytes: number;
}

/** A matrix made small enough for a picture: each cell is the element of largest magnitude. */
export interface PooledMatrix {
  readonly name: string;
  readonly group: 'width' | 'depth';
  readonly shape: readonly [number, number];
  readonly rows: number;
  readonly columns: number;
  /** rows × columns, row-major. What is not finite is `null` once it went through JSON: draw it as NaN. */
  readonly values: readonly number[];
}

type Timed<T> = T & {
  /** Milliseconds since the epoch. */
  readonly time: number;
};

/** What a run takes of the machine at one moment. What the platform does not tell is absent. */
export interface Usage {
  /** Main memory of the process. */
  readonly residentBytes: number;
  /** Of the graphics device that computes, all programs together. */
  readonly device?: {
    readonly usedBytes?: number;
    readonly totalBytes?: number;
    /** Share of time it computed lately, 0…1. */
    readonly utilization?: number;
  };
}

/** What a run reports. Every event also has `time`. */
export type RunEventBody =
  | ComparisonEvent
  | { readonly type: 'plan'; readonly plan: GrowthPlan }
  | {
      readonly type: 'device';
      readonly engine: string;
      readonly device: string;
      /** Why this engine, on one line. */
      readonly reason?: string;
    }
  | ({ readonly type: 'usage' } & Usage)
  | {
      readonly type: 'step';
      readonly phase: 'operators' | 'training';
      /** 1 for the first. */
      readonly step: number;
      readonly steps: number;
      /** On this step's batch, before the update. */
      readonly loss: number;
      /** Peak rates times the schedule, by parameter group. */
      readonly learningRate: Readonly<Record<string, number>>;
      readonly gradientNorm: number;
      readonly seconds: number;
      /** Tokens (or images, for vision models) a second. */
      readonly tokensPerSecond: number;
      readonly flops: number;
    }
  | {
      readonly type: 'operators';
      readonly step: number;
      readonly operators: readonly PooledMatrix[];
      /** They will not change any more. */
      readonly final?: boolean;
    }
  | ({
      readonly type: 'evaluation';
      readonly model: EvaluatedModel;
      readonly step: number;
    } & Evaluation)
  | { readonly type: 'warning'; readonly message: string; readonly remedy: string }
  | { readonly type: 'saved'; readonly step: number; readonly path: string }
  | {
      readonly type: 'done';
      readonly out: string;
      readonly receipt?: Receipt;
      /** Of what a comparison found, without times and machine. */
      readonly digest?: string;
      /** Trained models that a comparison kept. */
      readonly models?: readonly KeptModel[];
    }
  | {
      readonly type: 'failed';
      readonly message: string;
      readonly remedy: string;
      /** A person or the system asked it to stop; it did not go wrong. */
      readonly interrupted?: boolean;
    };

/** One JSON line of a run. */
export type RunEvent = Timed<RunEventBody>;

/** growth.json: what happened, beside every grown checkpoint. Nothing in it was not measured. */
export interface Receipt {
  readonly software: { readonly name: string; readonly version: string };
  readonly created: string;
  readonly source: ModelSummary & {
    readonly path: string;
    readonly files: readonly string[];
    readonly sha256: string;
    /** Tokenizer, preprocessor and their like, copied when the run started. */
    readonly companions: readonly { readonly name: string; readonly sha256: string }[];
  };
  readonly target: ModelSummary;
  readonly targetConfig: Readonly<Record<string, unknown>>;
  /** Tensors of the source that are no part of the model and were left out. */
  readonly dropped?: readonly string[];
  readonly method: { readonly name: string; readonly settings: Readonly<Record<string, unknown>> };
  readonly seed: number;
  readonly steps: number;
  readonly data?: {
    readonly path: string;
    readonly files: readonly { readonly name: string; readonly bytes: number }[];
    readonly sha256: string;
    readonly hashed: 'contents' | 'sampled';
    readonly heldOut: string;
    /** What was put between lines of text. */
    readonly separator?: string;
  };
  readonly engine?: {
    readonly name: string;
    readonly device: string;
    /** `mixed`: matrix products computed in float16. */
    readonly precision?: 'float32' | 'mixed';
  };
  readonly losses?: {
    readonly small: Evaluation;
    /** The grown model before its operators were trained; absent for methods that learn nothing. */
    readonly before?: Evaluation;
    readonly after: Evaluation;
    /** The grown model with its products in float32, where they were computed in float16. */
    readonly float32?: Evaluation;
    /** What predicting every target by its frequency alone scores on the same held-out targets. */
    readonly frequencies: number;
  };
  /** Grown against small logits on one held-out batch. */
  readonly parity?: {
    /** ‖grown − small‖ / ‖small‖ */
    readonly relativeError: number;
    /** Share of predictions that are the same; absent where numbers are predicted. */
    readonly agreement?: number;
  };
  readonly drift?: {
    readonly groups: Readonly<Record<string, number>>;
    readonly operators: Readonly<Record<string, number>>;
  };
  readonly flops?: { readonly perStep: number; readonly total: number };
  readonly seconds?: number;
  /** After which updates learning was stopped and gone on with; absent when it never was. */
  readonly resumedAfter?: readonly number[];
  readonly warnings: readonly string[];
}
