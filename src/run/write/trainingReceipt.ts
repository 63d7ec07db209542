import type { CurvePoint } from '../../protocol/comparison';
import type { Evaluation } from '../../protocol/evaluation';
import type { TrainSettings } from '../settings';

/** training.json: what happened, beside a checkpoint that was trained on. */
export interface TrainingReceipt {
  readonly software: { readonly name: string; readonly version: string };
  readonly created: string;
  readonly source: {
    readonly path: string;
    readonly sha256: string;
    /** Tokenizer, preprocessor and their like, copied when the run started. */
    readonly companions: readonly { readonly name: string; readonly sha256: string }[];
  };
  readonly settings: TrainSettings;
  /** What was learned, in words. */
  readonly objective: string;
  /** True when the weights of the source were not used, only its sizes. */
  readonly fromScratch: boolean;
  /** Updates made. */
  readonly steps: number;
  readonly seed: number;
  readonly data: object;
  readonly engine: { readonly name: string; readonly device: string };
  /** What the optimizer went on with; absent where it began anew. */
  readonly optimizerState?: { readonly updates: number; readonly sha256: string };
  readonly before: Evaluation;
  readonly after: Evaluation;
  /** Held-out scores on the way, where they were asked for. */
  readonly curve?: readonly CurvePoint[];
  readonly flops: { readonly perStep: number; readonly total: number };
  /** What was computed when, where it was not the whole network all the time. */
  readonly stages?: readonly TrainedStage[];
  readonly seconds: number;
  /** After which updates it was stopped and gone on with; absent when it never was. */
  readonly resumedAfter?: readonly number[];
  readonly warnings: readonly string[];
}

/** Steps of a training that computed the same part of the network. */
export interface TrainedStage {
  /** Updates made before its first and after its last. */
  readonly begin: number;
  readonly end: number;
  /** Layers from the bottom that were computed. */
  readonly layers: number;
  /** Of each sequence, the tokens that passed the middle layers by. */
  readonly droppedTokens: number;
  /** By layer, the sequences of a batch that passed it by. */
  readonly droppedSequences: readonly number[];
  /** Exact. */
  readonly flopsPerStep: number;
}
