import type { Architecture } from '../../architecture';
import type { DeviceMemory, Engine, NamedData } from '../../engine';
import { inputName, stateBytes } from '../../graph';
import type { TrainingStage } from '../../growth';
import type { CurvePoint } from '../../protocol/comparison';
import {
  partialBatches,
  runTrainingLoop,
  type KeepState,
  type LoopResult,
  type StepReport,
} from '../../training';
import type { OpenData } from '../open/openData';
import { mostTaken } from '../plan/processMemory';
import { requireMemory } from '../plan/memoryRefusal';
import { openScorer, type Scorer } from '../score/scoring';
import { batchesPerUpdate, optimizerOptions, type TrainSettings } from '../settings';
import { flopsAfter, prepareStages, type PreparedStage } from './trainingStages';

/** Where a training stands: all that it needs to go on. */
export interface TrainingState {
  /** Updates made. */
  readonly step: number;
  /** Spent in steps so far. */
  readonly seconds: number;
  /** Every used parameter by id, others that go along, and the moments of those that train. */
  readonly tensors: NamedData;
  /** Evaluations so far. */
  readonly curve: readonly CurvePoint[];
}

/** The training of a whole model on its own objective; all it reads is given. */
export interface TrainingTask {
  readonly architecture: Architecture;
  readonly data: Pick<OpenData, 'batches' | 'shape'>;
  readonly settings: TrainSettings;
  /** What a step may take of the device. */
  readonly memory: DeviceMemory;
  readonly start: TrainingState;
  /** Updates that the moments of a start at step 0 have seen; 0 by default, where it has none. */
  readonly earlier?: number;
  /** Decides what settings that compute a part of the network leave out; 0 by default. */
  readonly seed?: number;
  /** Parts in which only some parameters train; all do by default. */
  readonly stages?: readonly TrainingStage[] | undefined;
  /** Steps between evaluations on held-out data, which also begin and end the training; else none. */
  readonly evaluateEvery?: number | undefined;
  /** Steps between calls of `onSave`. */
  readonly saveEvery?: number | undefined;
  readonly signal: AbortSignal;
  /** Awaited after every step; `'finish'` ends the training here. */
  readonly onStep?: (step: TrainingStep) => Promise<'finish' | void> | 'finish' | void;
  readonly onEvaluation?: (point: CurvePoint) => void;
  readonly onSave?: (state: TrainingState) => Promise<void>;
  /** Keeps the states that a diverging run falls back to; in memory unless given. */
  readonly keeper?: (bytes: number) => KeepState;
}

/** A step with what it cost. */
export interface TrainingStep extends StepReport {
  /** Exact, of this step. */
  readonly flops: number;
}

/** How a training ended, and where it stands. */
export interface TrainedModel extends TrainingState {
  readonly outcome: LoopResult['outcome'];
  /** Why the device failed, where it did. */
  readonly failure?: NonNullable<LoopResult['failure']>;
  /** Exact, of all steps so far. */
  readonly flops: number;
  /** What every step was or will be. */
  readonly stages: readonly PreparedStage[];
}

/** What grows while a training runs. */
interface Progress {
  seconds: number;
  curve: readonly CurvePoint[];
}

/**
 * Trains a model from where it stands to the end of its settings. Parameters that begin to train in a
 * later stage start with fresh moments and a warm-up of their own; the others keep theirs. Throws
 * UserError when a step does not fit the device, or for settings that make no stages of the model.
 */
export async function trainModel(engine: Engine, task: TrainingTask): Promise<TrainedModel> {
  const { architecture, settings, data, start, evaluateEvery } = task;
  const stages = prepareStages(architecture, settings, data.shape, task.stages, task.earlier);
  const { name } = engine.description;
  requireMemory(mostTaken(name, stages, task.memory), task.memory);
  const scorer =
    evaluateEvery === undefined ? undefined : await openScorer(engine, architecture, data);
  // A run that fell back to an earlier state has no use for what came after it.
  const curve = start.curve.filter(({ step }) => step <= start.step);
  const progress: Progress = { seconds: start.seconds, curve };
  const evaluate = evaluator(task, stages, scorer, progress);
  try {
    if (isDue(task, start.step) && curve.at(-1)?.step !== start.step) {
      await evaluate(start.step, start.tensors);
    }
    let reached: Reached = { outcome: 'finished', step: start.step, tensors: start.tensors };
    for (const stage of stages) {
      if (stage.end <= reached.step || reached.ended) continue;
      reached = await trainStage(engine, task, stage, { reached, progress, evaluate });
    }
    const { outcome, step, tensors, failure } = reached;
    const flops = flopsAfter(stages, step);
    return { outcome, step, tensors, ...progress, flops, stages, ...(failure && { failure }) };
  } finally {
    await scorer?.dispose();
  }
}

type Evaluate = (step: number, values: NamedData) => Promise<void>;

function evaluator(
  { signal, onEvaluation }: TrainingTask,
  stages: readonly PreparedStage[],
  scorer: Scorer | undefined,
  progress: Progress,
): Evaluate {
  return async (step, values) => {
    if (!scorer) return;
    try {
      const { seconds } = progress;
      const scores = await scorer.score(values, signal);
      const point = { step, ...scores, flops: flopsAfter(stages, step), seconds };
      progress.curve = [...progress.curve, point];
      onEvaluation?.(point);
    } catch (error) {
      // The loop ends at its next look at the signal, with its state; the point is made on resuming.
      if (!(signal.aborted && error === signal.reason)) throw error;
    }
  };
}

/** How far stages have come. */
interface Reached extends Pick<TrainingState, 'step' | 'tensors'> {
  readonly outcome: LoopResult['outcome'];
  readonly failure?: NonNullable<LoopResult['failure']>;
  /** No further stage is to follow. */
  readonly ended?: boolean;
}

async function trainStage(
  engine: Engine,
  task: TrainingTask,
  stage: PreparedStage,
  {
    reached,
    progress,
    evaluate,
  }: { readonly reached: Reached; readonly progress: Progress; readonly evaluate: Evaluate },
): Promise<Reached> {
  const { architecture, settings, data, signal, saveEvery, seed = 0 } = task;
  const { program, flopsPerStep, groups, trains, partial, end } = stage;
  const own = new Set(
    [...program.frozen, ...program.state.map(state => state.input)].map(inputName),
  );
  const loaded = Object.fromEntries(
    Object.entries(reached.tensors).filter(([name]) => own.has(name)),
  );
  // Moments of parameters that train no longer are forgotten.
  const kept = Object.fromEntries(
    architecture.parameters.flatMap(({ id }) => {
      const value = reached.tensors[id];
      return value ? [[id, value]] : [];
    }),
  );
  let ended = false;
  const executable = await engine.compile(program, { spareMemory: settings.recompute ?? false });
  try {
    executable.load(loaded);
    const result = await runTrainingLoop({
      executable,
      batches: partial
        ? partialBatches(data.batches, architecture, data.shape, partial, seed)
        : data.batches,
      groups,
      optimizer: optimizerOptions(settings),
      batchesPerUpdate: batchesPerUpdate(settings),
      schedule: { kind: settings.schedule, steps: settings.steps, warmup: settings.warmup },
      start: reached.step,
      startState: () => Promise.resolve(loaded),
      keepEvery: 100,
      keep: task.keeper?.(stateBytes(program)),
      signal,
      onStep: async step => {
        progress.seconds += step.seconds;
        const wish = await task.onStep?.({ ...step, flops: flopsPerStep });
        ended = wish === 'finish' || step.step === settings.steps;
        if (isDue(task, step.step)) {
          const values = await executable.readState([...trains]);
          await evaluate(step.step, { ...kept, ...values });
        }
        if (saveEvery && step.step % saveEvery === 0 && !ended) {
          const tensors = { ...kept, ...(await executable.readState()) };
          await task.onSave?.({ step: step.step, tensors, ...progress });
        }
        return ended || step.step === end ? 'finish' : undefined;
      },
    });
    const { state, outcome, step, failure } = result;
    return {
      outcome,
      step,
      tensors: { ...kept, ...state },
      ...(failure && { failure }),
      ended: ended || outcome !== 'finished',
    };
  } finally {
    await executable.dispose();
  }
}

const isDue = ({ evaluateEvery, settings }: TrainingTask, step: number): boolean =>
  evaluateEvery !== undefined && (step % evaluateEvery === 0 || step === settings.steps);
