import type { CurvePoint } from '../../protocol/comparison';
import type { TrainedReceipt } from '../../protocol/events';
import type { TrainSettings } from '../settings';

/** training.json: what happened, beside a checkpoint that was trained on. */
export interface TrainingReceipt extends Omit<TrainedReceipt, 'settings'> {
  readonly settings: TrainSettings;
  /** Held-out scores on the way, where they were asked for. */
  readonly curve?: readonly CurvePoint[];
  /** What was computed when, where it was not the whole network all the time. */
  readonly stages?: readonly TrainedStage[];
}

/** What a run tells of its receipt: whoever follows it was told the scores on the way. */
export function toldReceipt(receipt: TrainingReceipt): TrainedReceipt {
  const { software, created, source, settings, objective, fromScratch, steps, seed } = receipt;
  const {
    data,
    engine,
    optimizerState,
    gguf,
    before,
    after,
    flops,
    seconds,
    resumedAfter,
    warnings,
  } = receipt;
  return {
    software,
    created,
    source,
    settings: { ...settings },
    objective,
    fromScratch,
    steps,
    seed,
    data,
    engine,
    ...(optimizerState && { optimizerState }),
    ...(gguf && { gguf }),
    before,
    after,
    flops,
    seconds,
    ...(resumedAfter && { resumedAfter }),
    warnings,
  };
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
