import type { BatchSource } from '../../data/batches';
import type { LineSeparator } from '../../data/textSource';
import type { Note } from '../../errors';
import type { BatchShape, TargetKind } from '../../training';

/** Where data comes from and how it is cut into batches. */
export interface DataOptions {
  readonly data: string;
  readonly evaluationData?: string | undefined;
  readonly batchSize?: number | undefined;
  readonly sequenceLength?: number | undefined;
  readonly evaluationBatches?: number | undefined;
  readonly seed: number;
  /** Leave out images that cannot be read instead of refusing them. */
  readonly leaveOutBroken?: boolean | undefined;
  /** What stands between lines of text for causal models; see `chooseSeparator`. */
  readonly separator?: LineSeparator | undefined;
}

/** An open data source with the static shape of its batches. */
export interface OpenData {
  readonly batches: BatchSource;
  readonly shape: BatchShape;
  /** What a target can be. */
  readonly targets: TargetKind;
  /** Things a person should know that are no errors. */
  readonly notes: readonly Note[];
}
