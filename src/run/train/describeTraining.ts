import type { Architecture } from '../../architecture';
import { describeObjective } from '../open/objective';
import { dataReceipt, type DataReceipt } from '../write/dataReceipt';
import { software } from '../write/software';
import type { TrainedModel } from './trainModel';
import type { TrainedStage, TrainingReceipt } from '../write/trainingReceipt';
import type { PreparedStage } from './trainingStages';

/** What a receipt is made of: what was trained, and what only its maker knows. */
interface TrainingFacts extends Omit<
  TrainingReceipt,
  'software' | 'created' | 'objective' | 'steps' | 'data' | 'flops' | 'stages' | 'seconds'
> {
  readonly architecture: Architecture;
  readonly trained: TrainedModel;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly data: DataReceipt;
}

/** The receipt of a training. */
export function trainingReceipt({
  architecture,
  trained,
  created,
  source,
  settings,
  fromScratch,
  seed,
  data,
  ...rest
}: TrainingFacts): TrainingReceipt {
  const { step, flops, stages, seconds } = trained;
  const { warnings, engine, before, after, curve, resumedAfter, optimizerState, gguf } = rest;
  return {
    software,
    created: new Date(created).toISOString(),
    source,
    settings,
    objective: describeObjective(architecture),
    fromScratch,
    steps: step,
    seed,
    data: dataReceipt(data),
    engine,
    ...(optimizerState && { optimizerState }),
    ...(gguf && { gguf }),
    before,
    after,
    ...(curve && { curve }),
    flops: { perStep: flops / step, total: flops },
    ...(stages.some(({ partial }) => partial) && {
      stages: stages.map(stage => trainedStage(architecture, stage)),
    }),
    seconds,
    ...(resumedAfter && { resumedAfter }),
    warnings,
  };
}

/** What the receipt says of a stage. */
function trainedStage(
  { dimensions: { numHiddenLayers: layers } }: Architecture,
  { begin, end, partial, flopsPerStep }: PreparedStage,
): TrainedStage {
  const whole = { layers, droppedTokens: 0, droppedSequences: Array<number>(layers).fill(0) };
  return { begin, end, ...(partial ?? whole), flopsPerStep };
}
