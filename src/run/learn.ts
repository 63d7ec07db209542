import type { Engine } from '../engine';
import { countFlops, programResults, type Program } from '../graph';
import {
  initialOperators,
  learnedOperators,
  operatorDrift,
  poolOperators,
  startedOperators,
  type Growth,
  type OperatorDrift,
  type OperatorValues,
  type SmallValues,
} from '../growth';
import type { Evaluation } from '../protocol/events';
import { runTrainingLoop, type LoopResult, type StepReport } from '../training';
import { report, type RunContext } from './context';
import type { OpenData } from './data';
import { learningProgram } from './plan';
import { loadRunState, type RunIdentity, type RunState } from './runState';
import { grownModel, scoreModel } from './scoring';
import { explainStop, savesOnTheWay, type TrainedRun } from './stop';
import { batchesPerUpdate, operatorGroups, optimizerOptions, type LigoSettings } from './settings';

/** What learning operators needs. */
export interface LearningTask extends RunIdentity {
  readonly growth: Growth;
  readonly small: SmallValues;
  readonly data: OpenData;
  readonly settings: LigoSettings;
  readonly seed: number;
  /** Output path; a stopped run is kept beside it. */
  readonly out: string;
  readonly resume: boolean;
  /** Steps between saves of a state to go on from; only a stop saves by default. */
  readonly saveEvery?: number | undefined;
  /** Told when training is done, before its result is measured. */
  readonly onTrained?: ((run: TrainedRun) => void) | undefined;
}

/** Operators after training, and what was measured before and on the way. */
export interface LearnedOperators {
  readonly operators: OperatorValues;
  readonly before: Evaluation;
  readonly drift: OperatorDrift;
  /** Updates made: fewer than asked for when a person ended learning early. */
  readonly steps: number;
  readonly flopsPerStep: number;
  /** Spent in training steps, over all sittings. */
  readonly seconds: number;
  /** After which updates it was stopped and gone on with; empty for one that never was. */
  readonly resumedAfter: readonly number[];
}

/** Pictures of the operators are sent about this many times a run. */
const pictures = 50;
/** Steps between copies of the state that a diverging run falls back to. */
const keepEvery = 25;

/** Trains the operators; saves its state when interrupted or diverging, and on the way if asked to. */
export async function learnOperators(
  context: RunContext,
  engine: Engine,
  task: LearningTask,
): Promise<LearnedOperators> {
  const { growth, settings, seed, data, small } = task;
  const { initialization, mapping } = settings;
  const operators = startedOperators(growth, initialization, mapping);
  const initial = initialOperators(growth, initialization, seed, mapping);
  const resumed = task.resume ? await loadRunState(task.out, task) : undefined;
  const start = grownModel(growth, small, initial);
  const before = await scoreModel(engine, start, data.batches, data.shape, context.signal);
  report(context, { type: 'evaluation', model: 'before', step: 0, ...before });
  const { program, weights } = learningProgram(growth, settings, data.shape);
  const flops = countFlops(programResults(program));
  const flopsPerStep = batchesPerUpdate(settings) * (flops.matrix + flops.other);
  const result = await trainOperators(context, engine, task, {
    program,
    frozen: Object.fromEntries([...weights.small.keys()].map(name => [name, small[name]!])),
    initial,
    resumed,
    flopsPerStep,
  });
  const learned = Object.fromEntries(
    operators.map(({ name }) => [name, (result.state[name] ?? initial[name]) as Float32Array]),
  );
  report(context, {
    type: 'operators',
    step: result.step,
    operators: poolOperators(operators, learned),
    final: true,
  });
  return {
    operators: learned,
    before,
    drift: operatorDrift(operators, initial, learned),
    steps: result.step,
    flopsPerStep,
    seconds: result.seconds,
    resumedAfter: result.resumedAfter,
  };
}

interface PreparedTraining {
  readonly program: Program;
  readonly frozen: SmallValues;
  readonly initial: OperatorValues;
  readonly resumed: RunState | undefined;
  readonly flopsPerStep: number;
}

async function trainOperators(
  context: RunContext,
  engine: Engine,
  task: LearningTask,
  { program, frozen, initial, resumed, flopsPerStep }: PreparedTraining,
): Promise<LoopResult & Pick<LearnedOperators, 'seconds' | 'resumedAfter'>> {
  const { settings, data, growth, saveEvery, out, fingerprint, decisions } = task;
  const executable = await engine.compile(program);
  const resumedAfter = resumed ? [...(resumed.resumedAfter ?? []), resumed.step] : [];
  const identity = {
    ...{ fingerprint, decisions },
    ...(resumed && { resumedAfter }),
  };
  const save = savesOnTheWay(context, out);
  let seconds = resumed?.seconds ?? 0;
  try {
    executable.load({ ...frozen, ...initial, ...resumed?.tensors });
    const operators = learnedOperators(growth, settings.mapping);
    const interval = Math.max(1, Math.floor(settings.steps / pictures));
    const onStep = async (step: StepReport): Promise<'finish' | void> => {
      seconds += step.seconds;
      report(context, {
        type: 'step',
        phase: 'operators',
        steps: settings.steps,
        tokensPerSecond: (batchesPerUpdate(settings) * data.batches.itemsPerBatch) / step.seconds,
        flops: flopsPerStep,
        ...step,
      });
      if ((step.step - 1) % interval === 0) {
        const names = operators.map(({ name }) => name);
        const state = (await executable.readState(names)) as OperatorValues;
        const pooled = poolOperators(operators, state);
        report(context, { type: 'operators', step: step.step, operators: pooled });
      }
      const wish = await context.betweenSteps?.();
      const goesOn = wish !== 'finish' && step.step < settings.steps;
      if (saveEvery && step.step % saveEvery === 0 && goesOn) {
        const tensors = await executable.readState();
        await save({ ...identity, step: step.step, seconds, tensors });
      }
      return wish;
    };
    const result = await runTrainingLoop({
      executable,
      batches: data.batches,
      groups: operatorGroups(settings),
      optimizer: optimizerOptions(settings),
      batchesPerUpdate: batchesPerUpdate(settings),
      schedule: { kind: settings.schedule, steps: settings.steps, warmup: settings.warmup },
      start: resumed?.step ?? 0,
      keepEvery,
      signal: context.signal,
      onStep,
    });
    const stopped = { ...identity, out, steps: settings.steps, seconds };
    if (result.outcome !== 'finished') throw await explainStop(context, stopped, result);
    task.onTrained?.({ ...stopped, state: result.state });
    return { ...result, seconds, resumedAfter };
  } finally {
    await executable.dispose();
  }
}
