import { plainWeights, type Architecture, type Parameter } from '../../architecture';
import { input, type Program } from '../../graph';
import type { TrainingStage } from '../../growth';
import {
  batchFeeds,
  objectiveGraph,
  partialFeeds,
  trainingProgram,
  type BatchShape,
  type ParameterGroup,
  type PartialShape,
} from '../../training';
import { costOfLayers, deepestBuilt, programCost, type ProgramCost } from '../plan/growthCost';
import { partialSpans, type PartialSpan } from './partialTraining';
import {
  batchesPerUpdate,
  optimizerOptions,
  trainingOptions,
  type TrainSettings,
} from '../settings';

/** What the steps of a stage cost. */
export interface StageCost extends PartialSpan, ProgramCost {
  /** Exact, of one step; `flops` are of one batch. */
  readonly flopsPerStep: number;
}

/** Steps of a training in which the same parameters change, by the same program. */
export interface PreparedStage extends StageCost {
  /** Ids of the parameters that change; the others are frozen inputs of the program. */
  readonly trains: ReadonlySet<string>;
  readonly groups: readonly ParameterGroup[];
  readonly program: Program;
}

/**
 * Programs for the stages of a training: one for all parameters unless a method or settings say
 * otherwise.
 * Matrices decay, vectors do not, as is usual for transformers; parameters that begin to train in a
 * later stage are groups of their own, whose moments start there. Throws UsageError or
 * UnsupportedError for settings that make no stages of the model: see `partialSpans`.
 * @param earlier updates that the moments have seen which the training starts with
 */
export function prepareStages(
  architecture: Architecture,
  settings: TrainSettings,
  shape: BatchShape,
  stages: readonly TrainingStage[] = [],
  earlier = 0,
): readonly PreparedStage[] {
  return stagesOf(architecture, settings, shape, stages).map(({ began, computed, ...span }) => {
    const parameters = { computed, began, partial: span.partial };
    const program = stageProgram(architecture, settings, shape, parameters);
    return {
      ...span,
      ...stepCost(settings, programCost(program)),
      program,
      trains: new Set(began.keys()),
      groups: groupsOf(settings, [...new Set(began.values())], earlier),
    };
  });
}

/**
 * The same stages, counted but not made: at any depth in a moment. A stage of a deep model that computes
 * a part of the network is made all the same.
 */
export function countStages(
  architecture: Architecture,
  settings: TrainSettings,
  shape: BatchShape,
  stages: readonly TrainingStage[] = [],
): readonly StageCost[] {
  const { numHiddenLayers } = architecture.dimensions;
  return stagesOf(architecture, settings, shape, stages).map(({ began, computed, ...span }) => {
    const { partial } = span;
    const parameters = { computed, began, partial };
    const cost =
      numHiddenLayers <= deepestBuilt || partial
        ? programCost(stageProgram(architecture, settings, shape, parameters))
        : deepCost(architecture, settings, shape, began);
    return { ...span, ...stepCost(settings, cost) };
  });
}

const stepCost = (
  settings: TrainSettings,
  cost: ProgramCost,
): ProgramCost & Pick<StageCost, 'flopsPerStep'> => ({
  ...cost,
  flopsPerStep: batchesPerUpdate(settings) * (cost.flops.matrix + cost.flops.other),
});

/** Layers below all that train run forward only; above them, those that train and those that do not. */
function deepCost(
  architecture: Architecture,
  settings: TrainSettings,
  shape: BatchShape,
  began: ReadonlyMap<string, number>,
): ProgramCost {
  const { parameters, dimensions } = architecture;
  const trained = new Set(
    parameters.filter(({ id }) => began.has(id)).map(parameter => parameter.layer),
  );
  const all = Array.from({ length: dimensions.numHiddenLayers }, (_, layer) => layer);
  const embeds = parameters.some(({ id, stage }) => stage === 'embedding' && began.has(id));
  const lowest = embeds ? 0 : (all.find(layer => trained.has(layer)) ?? all.length);
  const kinds = [
    all.filter(layer => layer < lowest),
    all.filter(layer => trained.has(layer)),
    all.filter(layer => layer >= lowest && !trained.has(layer)),
  ];
  return costOfLayers(
    kinds.map(({ length }) => length),
    ([below, trains, others]) => {
      const layers = below! + trains! + others!;
      const shallow = architecture.resized({ ...dimensions, numHiddenLayers: layers });
      const used = shallow.parameters.filter(parameter => parameter.used);
      const learns = ({ id, layer }: Parameter): boolean =>
        layer === undefined ? began.has(id) : layer >= below! && layer < below! + trains!;
      return stageProgram(shallow, settings, shape, {
        computed: new Set(used.map(({ id }) => id)),
        began: new Map(used.filter(learns).map(({ id }) => [id, 0])),
        partial: undefined,
      });
    },
  );
}

/** A stage with what it reads and when each parameter that trains in it began to, by id. */
interface Stage extends PartialSpan {
  readonly computed: ReadonlySet<string>;
  readonly began: ReadonlyMap<string, number>;
}

function stagesOf(
  architecture: Architecture,
  settings: TrainSettings,
  shape: BatchShape,
  stages: readonly TrainingStage[],
): readonly Stage[] {
  const used = architecture.parameters.filter(parameter => parameter.used);
  const all = used.map(({ id }) => id);
  /** When each parameter that trains now began to. */
  let began: ReadonlyMap<string, number> = new Map();
  return spansOf(architecture, settings, shape, stages).map(span => {
    const { begin, end, partial, trains: named = all } = span;
    const computed = new Set(computedIds(used, partial));
    began = new Map(
      [...new Set(named)].filter(id => computed.has(id)).map(id => [id, began.get(id) ?? begin]),
    );
    return { begin, end, partial, computed, began };
  });
}

interface StageParameters {
  /** Ids of those that are read. */
  readonly computed: ReadonlySet<string>;
  /** When each of those that train began to, by id. */
  readonly began: ReadonlyMap<string, number>;
  readonly partial: PartialShape | undefined;
}

function stageProgram(
  architecture: Architecture,
  settings: TrainSettings,
  shape: BatchShape,
  { computed, began, partial }: StageParameters,
): Program {
  const read = architecture.parameters.filter(({ id }) => computed.has(id));
  const inputs = new Map(read.map(({ id, shape: size }) => [id, input(id, size)]));
  const trained = read.flatMap(({ id, shape: size }) => {
    const start = began.get(id);
    if (start === undefined) return [];
    return [{ input: inputs.get(id)!, group: groupName(size.length > 1, start) }];
  });
  const frozen = read.filter(({ id }) => !began.has(id)).map(({ id }) => inputs.get(id)!);
  const feeds = batchFeeds(architecture, shape);
  const objective = objectiveGraph(
    architecture,
    plainWeights(id => inputs.get(id)),
    partial ? partialFeeds(feeds, architecture, shape, partial) : feeds,
  );
  const options = optimizerOptions(settings);
  return trainingProgram(objective, trained, frozen, options, trainingOptions(settings));
}

/** Steps in which the same parameters train and the same part of the network is computed. */
interface StageSpan extends PartialSpan {
  /** Ids; undefined: all that are computed. */
  readonly trains?: ReadonlySet<string> | undefined;
}

function spansOf(
  architecture: Architecture,
  settings: TrainSettings,
  shape: BatchShape,
  stages: readonly TrainingStage[],
): readonly StageSpan[] {
  const partials = partialSpans(architecture, settings, shape);
  return methodSpans(stages, settings.steps).flatMap(stage =>
    partials
      .map(({ begin, end, partial }) => ({
        begin: Math.max(begin, stage.begin),
        end: Math.min(end, stage.end),
        partial,
        trains: stage.trains,
      }))
      .filter(({ begin, end }) => begin < end),
  );
}

/** The parameters that are read where so much of a network is computed. */
const computedIds = (used: readonly Parameter[], partial: PartialShape | undefined): string[] =>
  used
    .filter(({ layer }) => layer === undefined || !partial || layer < partial.layers)
    .map(({ id }) => id);

/** Where a method's stages begin and end, whole steps; those too short for a step are left out. */
function methodSpans(
  stages: readonly TrainingStage[],
  steps: number,
): readonly Omit<StageSpan, 'partial'>[] {
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
  settings: TrainSettings,
  begins: readonly number[],
  earlier: number,
): readonly ParameterGroup[] =>
  begins.flatMap(began => {
    const { learningRate, weightDecay } = settings;
    const group = {
      learningRate,
      began,
      ...(began > 0 ? { warmup: lateWarmup(settings, began) } : { earlier }),
    };
    return [
      { ...group, name: groupName(true, began), weightDecay },
      { ...group, name: groupName(false, began), weightDecay: 0 },
    ];
  });

/**
 * Warm-up, in updates, of parameters that begin to train when the schedule's own is over: their
 * moments begin as noise, of which Adam makes full steps. As long as Ma and Yarats 2021 (arXiv
 * 1910.04209) advise without tuning, 2 / (1 − β₂), but at most a fifth of what is left.
 */
function lateWarmup({ steps, betas: [, beta2] }: TrainSettings, began: number): number {
  return Math.min(Math.round(2 / (1 - beta2)), Math.floor((steps - began) / 5));
}

/** Exact FLOPs of the first `step` steps of a training. */
export const flopsAfter = (stages: readonly StageCost[], step: number): number =>
  stages.reduce(
    (sum, { begin, end, flopsPerStep }) =>
      sum + flopsPerStep * Math.max(0, Math.min(step, end) - begin),
    0,
  );
