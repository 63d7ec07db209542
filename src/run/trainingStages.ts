import { plainWeights, type Architecture } from '../architecture';
import { countFlops, input, peakBytes, programResults, type Program } from '../graph';
import type { TrainingStage } from '../growth';
import {
  batchFeeds,
  objectiveGraph,
  trainingProgram,
  type BatchShape,
  type ParameterGroup,
} from '../training';
import {
  batchesPerUpdate,
  optimizerOptions,
  trainingOptions,
  type TrainSettings,
} from './settings';

/** Steps of a training in which the same parameters change. */
export interface PreparedStage {
  /** Updates made before its first and after its last. */
  readonly begin: number;
  readonly end: number;
  /** Ids of the parameters that change; the others are frozen inputs of the program. */
  readonly trains: ReadonlySet<string>;
  readonly groups: readonly ParameterGroup[];
  readonly program: Program;
  /** Exact, of one step. */
  readonly flopsPerStep: number;
  readonly peakBytes: number;
}

/**
 * Programs for the stages of a training: one for all parameters unless a method says otherwise.
 * Matrices decay, vectors do not, as is usual for transformers; parameters that begin to train in a
 * later stage are groups of their own, whose moments start there.
 */
export function prepareStages(
  architecture: Architecture,
  settings: TrainSettings,
  shape: BatchShape,
  stages: readonly TrainingStage[] = [],
): readonly PreparedStage[] {
  const used = architecture.parameters.filter(parameter => parameter.used);
  const spans = stageSpans(stages, settings.steps);
  const all = new Set(used.map(({ id }) => id));
  const prepared: PreparedStage[] = [];
  /** When each parameter that trains now began to. */
  let began = new Map<string, number>();
  for (const { begin, end, trains = all } of spans) {
    began = new Map([...trains].map(id => [id, began.get(id) ?? begin]));
    const inputs = new Map(used.map(({ id, shape: size }) => [id, input(id, size)]));
    const trained = used.flatMap(({ id, shape: size }) => {
      const start = began.get(id);
      if (start === undefined) return [];
      return [{ input: inputs.get(id)!, group: groupName(size.length > 1, start) }];
    });
    const frozen = used.filter(({ id }) => !trains.has(id)).map(({ id }) => inputs.get(id)!);
    const objective = objectiveGraph(
      architecture,
      plainWeights(id => inputs.get(id)),
      batchFeeds(architecture, shape),
    );
    const program = trainingProgram(
      objective,
      trained,
      frozen,
      optimizerOptions(settings),
      trainingOptions(settings),
    );
    const results = programResults(program);
    const flops = countFlops(results);
    prepared.push({
      ...{ begin, end, trains, program },
      groups: groupsOf(settings, [...new Set(began.values())]),
      flopsPerStep: batchesPerUpdate(settings) * (flops.matrix + flops.other),
      peakBytes: peakBytes(results),
    });
  }
  return prepared;
}

/** Where stages begin and end, whole steps; stages too short for a step are left out. */
function stageSpans(
  stages: readonly TrainingStage[],
  steps: number,
): readonly { begin: number; end: number; trains?: ReadonlySet<string> }[] {
  if (stages.length === 0) return [{ begin: 0, end: steps }];
  let share = 0;
  let begin = 0;
  return stages.flatMap((stage, index) => {
    share += stage.share;
    const end = index === stages.length - 1 ? steps : Math.round(share * steps);
    const span = { begin, end, trains: new Set(stage.trains) };
    begin = end;
    return span.end > span.begin ? [span] : [];
  });
}

const groupName = (isMatrix: boolean, began: number): string => {
  const kind = isMatrix ? 'matrices' : 'vectors';
  return began === 0 ? kind : `${kind}.from${began}`;
};

const groupsOf = (
  { learningRate, weightDecay }: TrainSettings,
  begins: readonly number[],
): readonly ParameterGroup[] =>
  begins.flatMap(began => [
    { name: groupName(true, began), learningRate, weightDecay, began },
    { name: groupName(false, began), learningRate, weightDecay: 0, began },
  ]);

/** Exact FLOPs of the first `step` steps of a training. */
export const flopsAfter = (stages: readonly PreparedStage[], step: number): number =>
  stages.reduce(
    (sum, { begin, end, flopsPerStep }) =>
      sum + flopsPerStep * Math.max(0, Math.min(step, end) - begin),
    0,
  );
