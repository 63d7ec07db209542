import type { Engine } from '../engine';
import {
  copyParameter,
  randomParameter,
  sourceValues,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../growth';
import type { Evaluation, Receipt } from '../protocol/events';
import { frequencyLoss } from '../training';
import { report, type RunContext } from './context';
import type { OpenData } from './data';
import type { RunData } from './resources';
import { parameterGrower } from './grownParameters';
import { learnOperators } from './learn';
import type { Model } from './model';
import { planGrowth } from './plan';
import { collapseWarning } from './receipt';
import { fingerprint } from './runState';
import { compareLogits, grownModel, plainModel, scoreModel, type ScoredModel } from './scoring';
import type { LigoSettings } from './settings';
import type { TrainedRun } from './stop';
import type { ParameterValues } from './writeModel';

/** How a large model is made of a small one. */
export const growthMethods = ['ligo', 'stack', 'random'] as const;
export type GrowthMethod = (typeof growthMethods)[number];

/** Everything the making of a large model reads. */
export interface MakeLarge {
  readonly method: GrowthMethod;
  readonly settings: LigoSettings;
  readonly seed: number;
  /** Output path; a stopped run is kept beside it. */
  readonly out: string;
  readonly resume?: boolean;
  readonly model: Model;
  readonly growth: Growth;
  readonly engine: Engine;
  readonly openData: RunData | undefined;
  readonly small: SmallValues;
  /** Of the source's files. */
  readonly sha256: string;
  readonly warn: (message: string, remedy: string) => void;
  /** Told when training is done, before anything is written. */
  readonly onTrained?: (run: TrainedRun) => void;
}

/** A large model that was made and measured, before it is written. */
export interface LargeModel {
  readonly values: ParameterValues;
  readonly operators?: OperatorValues;
  readonly measured: Partial<Receipt>;
}

/** Learns or copies, and measures small against large where there is data and a head. */
export async function makeLarge(context: RunContext, task: MakeLarge): Promise<LargeModel> {
  const { model, growth, engine, openData: data, small } = task;
  if (!data || model.architecture.head === 'none') {
    return { values: unlearnedValues(task), measured: {} };
  }
  const smallModel = plainModel(growth.source, sourceValues(growth, small), 'source');
  const measured = {
    data,
    smallModel,
    small: await score(context, engine, smallModel, data, 'small'),
    frequencies: await frequencyLoss(data.batches, data.classes),
  };
  return task.method === 'ligo'
    ? learnLarge(context, task, measured)
    : copyLarge(context, task, measured);
}

interface MeasuredSmall {
  readonly data: OpenData;
  readonly smallModel: ScoredModel;
  readonly small: Evaluation;
  readonly frequencies: number;
}

async function learnLarge(
  context: RunContext,
  task: MakeLarge,
  { data, smallModel, small: smallScores, frequencies }: MeasuredSmall,
): Promise<LargeModel> {
  const { model, growth, engine, small, settings, seed, out, resume = false } = task;
  const resolved = { dimensions: growth.target.dimensions, refusals: [] };
  report(context, { type: 'plan', plan: planGrowth(model, resolved, settings, data.shape) });
  const learned = await learnOperators(context, engine, {
    ...{ growth, small, data, settings, seed, out, resume, onTrained: task.onTrained },
    fingerprint: fingerprint([
      task.sha256,
      growth.target.config,
      data.batches.description.sha256,
      task.openData?.separator,
      data.shape,
      settings,
      seed,
      engine.description.name,
    ]),
  });
  const { operators, before, after, drift, steps, flopsPerStep, seconds } = learned;
  const collapse = collapseWarning(after.loss, frequencies, smallScores.loss);
  if (collapse) task.warn(collapse.message, collapse.remedy);
  const large = grownModel(growth, small, operators);
  return {
    values: parameterGrower(engine, growth, operators, small),
    operators,
    measured: {
      losses: { small: smallScores, before, after, frequencies },
      parity: await compareLogits(engine, [smallModel, large], data.batches, data.shape),
      drift,
      steps,
      flops: { perStep: flopsPerStep, total: flopsPerStep * steps },
      seconds,
    },
  };
}

async function copyLarge(
  context: RunContext,
  task: MakeLarge,
  { data, smallModel, small: smallScores, frequencies }: MeasuredSmall,
): Promise<LargeModel> {
  const { growth, engine } = task;
  const values = unlearnedValues(task);
  const all: Record<string, Float32Array> = {};
  for (const parameter of growth.target.parameters) {
    if (parameter.used) all[parameter.id] = await values(parameter);
  }
  const large = plainModel(growth.target, all, 'target');
  const after = await score(context, engine, large, data, 'after');
  const parity = await compareLogits(engine, [smallModel, large], data.batches, data.shape);
  return { values, measured: { losses: { small: smallScores, after, frequencies }, parity } };
}

/** Values of methods that learn nothing. */
function unlearnedValues({ method, growth, small, seed }: MakeLarge): ParameterValues {
  return parameter =>
    Promise.resolve(
      method === 'stack'
        ? copyParameter(growth, parameter, small, seed)
        : randomParameter(growth.target, parameter, seed),
    );
}

async function score(
  context: RunContext,
  engine: Engine,
  model: ScoredModel,
  { batches, shape }: OpenData,
  which: 'small' | 'after',
): Promise<Evaluation> {
  const scores = await scoreModel(engine, model, batches, shape, context.signal);
  report(context, { type: 'evaluation', model: which, step: 0, ...scores });
  return scores;
}
