import type { DeviceMemory, Engine } from '../../engine';
import {
  copyOperators,
  freshnessOf,
  growthMethod,
  operatorsIn,
  poolOperators,
  sourceValues,
  type Freshness,
  type Growth,
  type GrowthMethodName,
  type OperatorValues,
  type SmallValues,
} from '../../growth';
import { UnsupportedError } from '../../errors';
import type { Evaluation } from '../../protocol/evaluation';
import type { GrowthPlan, Receipt } from '../../protocol/events';
import { frequencyLoss } from '../../training';
import { report, warn, type RunContext } from '../context';
import type { OpenData } from '../open/openData';
import { learningRefusal } from '../plan/learningMemory';
import type { RunData } from '../score/runData';
import { parameterGrower } from './grownParameters';
import { learnOperators } from './learn';
import type { Model } from '../open/model';
import { planGrowth } from '../plan/plan';
import { collapseWarning } from '../write/receipt';
import { identityOf } from '../stop/runState';
import {
  compareLogits,
  inFloat32,
  keptModel,
  plainModel,
  scoreModel,
  type ScoredModel,
} from '../score/scoring';
import type { LigoSettings } from '../settings';
import type { TrainedRun } from '../stop/stop';
import type { ParameterValues } from '../write/parameterValues';
import type { Unworded } from '../../remedy/worded';

/** Everything the making of a large model reads. */
export interface MakeLarge {
  readonly method: GrowthMethodName;
  readonly settings: LigoSettings;
  readonly seed: number;
  /** Output path; a stopped run is kept beside it. */
  readonly out: string;
  readonly resume?: boolean;
  /** Steps between saves of a state that learning can be gone on with from. */
  readonly saveEvery?: number | undefined;
  /** A folder for copies that are too large to lie in memory; its owner removes what is left there. */
  readonly scratch?: string | undefined;
  /** Of what decides the learning, for its state; by default of all that is given here. */
  readonly fingerprint?: string;
  readonly model: Model;
  readonly growth: Growth;
  readonly engine: Engine;
  /** What learning may take. */
  readonly memory: DeviceMemory;
  readonly openData: RunData | undefined;
  readonly small: SmallValues;
  /** Of the source's files. */
  readonly sha256: string;
  /** Told when training is done, before anything is written. */
  readonly onTrained?: (run: TrainedRun) => void;
}

/** A large model that was made, before it is written; it is done with at the end of the block which has it. */
export interface LargeModel extends AsyncDisposable {
  /** Computed when they are asked for, each time anew. */
  readonly values: ParameterValues;
  readonly operators?: OperatorValues;
  /** What is added to what the operators make. */
  readonly freshness?: Freshness;
  /** Measures it as it was kept, which is rounded where its element types are short. */
  readonly measure: (kept: ParameterValues) => Promise<Partial<Receipt>>;
}

/** True for methods that train operators on data. */
export const isLearned = (method: GrowthMethodName): boolean =>
  growthMethod(method).making.kind === 'learned';

/** Throws UnsupportedError when the method cannot make this growth. */
export function requireMethod(method: GrowthMethodName, growth: Growth): void {
  const [refusal] = growthMethod(method).refusals?.(growth) ?? [];
  if (refusal) throw new UnsupportedError(refusal.reason, refusal.remedy);
}

/** Learns or copies; what it gives measures small against large where there is data and a head. */
export async function makeLarge(context: RunContext, task: MakeLarge): Promise<LargeModel> {
  const { model, growth, engine, openData: data, small } = task;
  if (!data || model.architecture.head === 'none') {
    return { ...unlearned(context, task), measure: () => Promise.resolve({}) };
  }
  const plan = isLearned(task.method) ? learningPlan(task, data) : undefined;
  // Of the model itself was told before.
  warn(context, plan?.notes?.filter(note => !model.notes.includes(note)) ?? []);
  const smallModel = plainModel(growth.source, sourceValues(growth, small), 'source');
  const measured = {
    data,
    smallModel,
    small: await score(context, engine, smallModel, data, 'small'),
    frequencies: await frequencyLoss(data.batches, data.targets),
  };
  return plan ? learnLarge(context, task, measured, plan) : copyLarge(context, task, measured);
}

/** What learning does and costs. Throws UserError when it does not fit the device. */
function learningPlan(
  { model, growth, settings, engine, memory }: MakeLarge,
  data: OpenData,
): Unworded<GrowthPlan> {
  const resolved = { dimensions: growth.target.dimensions, refusals: [], notes: [] };
  const { name } = engine.description;
  const plan = planGrowth(model, resolved, settings, data.shape, name);
  const refusal =
    plan.cost &&
    learningRefusal(growth, settings, data.shape, { engine: name, memory, cost: plan.cost });
  if (refusal) throw refusal;
  return plan;
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
  plan: Unworded<GrowthPlan>,
): Promise<LargeModel> {
  const { growth, engine, small, settings, seed, out, resume = false, saveEvery, scratch } = task;
  report(context, { type: 'plan', plan });
  const { name: engineName, precision } = engine.description;
  const identity =
    task.fingerprint === undefined
      ? identityOf({
          checkpoint: task.sha256,
          target: growth.target.config,
          data: data.batches.description.sha256,
          separator: task.openData?.separator,
          shape: data.shape,
          settings,
          seed,
          engine: engineName,
          precision,
        })
      : { fingerprint: task.fingerprint };
  const learned = await learnOperators(context, engine, {
    growth,
    small,
    data,
    settings,
    seed,
    out,
    resume,
    saveEvery,
    scratch,
    onTrained: task.onTrained,
    ...identity,
  });
  const { operators, before, drift, steps, flopsPerStep, seconds, resumedAfter } = learned;
  const freshness = freshnessOf(growth, settings.freshness, seed);
  const grower = parameterGrower(engine, growth, operators, small, freshness);
  const isMixed = engine.description.precision === 'mixed';
  return {
    ...grower,
    operators,
    ...(freshness && { freshness }),
    measure: async kept => {
      const large = await keptModel(growth.target, kept);
      const after = await score(context, engine, large, data, 'after', steps);
      const float32 = isMixed
        ? await score(context, inFloat32(engine), large, data, 'float32', steps)
        : undefined;
      const collapse = collapseWarning(after.loss, frequencies, smallScores.loss);
      if (collapse) warn(context, [collapse]);
      return {
        losses: { small: smallScores, before, after, ...(float32 && { float32 }), frequencies },
        parity: await compareLogits(engine, [smallModel, large], data.batches, data.shape),
        drift,
        steps,
        flops: { perStep: flopsPerStep, total: flopsPerStep * steps },
        seconds,
        ...(resumedAfter.length > 0 && { resumedAfter }),
      };
    },
  };
}

function copyLarge(
  context: RunContext,
  task: MakeLarge,
  { data, smallModel, small, frequencies }: MeasuredSmall,
): LargeModel {
  const { engine, growth } = task;
  return {
    ...unlearned(context, task),
    measure: async kept => {
      const large = await keptModel(growth.target, kept);
      const after = await score(context, engine, large, data, 'after');
      const parity = await compareLogits(engine, [smallModel, large], data.batches, data.shape);
      return { losses: { small, after, frequencies }, parity };
    },
  };
}

/** What methods that learn nothing make: operators where they have some, and every value. */
function unlearned(
  context: RunContext,
  { method, growth, engine, small, seed }: MakeLarge,
): Omit<LargeModel, 'measure'> {
  const { making } = growthMethod(method);
  if (making.kind === 'learned') throw new Error(`${method} learns, which needs data`);
  if (making.kind === 'weights') {
    const make = making.weights(growth, small, seed);
    return {
      values: parameter => Promise.resolve(make(parameter)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const operators = copyOperators(growth, making.copies(growth, seed));
  const pooled = poolOperators(operatorsIn(growth, operators), operators);
  report(context, { type: 'operators', step: 0, operators: pooled, final: true });
  return { ...parameterGrower(engine, growth, operators, small), operators };
}

async function score(
  context: RunContext,
  engine: Engine,
  model: ScoredModel,
  { batches, shape }: OpenData,
  which: 'small' | 'after' | 'float32',
  step = 0,
): Promise<Evaluation> {
  const scores = await scoreModel(engine, model, batches, shape, context.signal);
  report(context, { type: 'evaluation', model: which, step, ...scores });
  return scores;
}
