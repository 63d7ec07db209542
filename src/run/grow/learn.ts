import type { Engine, NamedData } from '../../engine';
import { countFlops, programResults, stateBytes, type Program } from '../../graph';
import {
  initialOperators,
  learnedOperators,
  operatorDrift,
  poolOperators,
  startedOperators,
  type Growth,
  type OperatorDrift,
  type OperatorValues,
  type PooledOperator,
  type SmallValues,
} from '../../growth';
import type { Evaluation } from '../../protocol/evaluation';
import { runTrainingLoop, type LoopResult, type StepReport } from '../../training';
import { report, type RunContext } from '../context';
import type { OpenData } from '../open/openData';
import { keeperOf } from '../stop/keepOnDisk';
import { learningProgram } from '../plan/plan';
import { loadRunState, type RunIdentity, type RunState } from '../stop/runState';
import { grownModel, scoreModel } from '../score/scoring';
import { explainStop, savesOnTheWay, type TrainedRun } from '../stop/stop';
import { batchesPerUpdate, operatorGroups, optimizerOptions, type LigoSettings } from '../settings';

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
  /** A folder for copies that are too large to lie in memory; it is removed or emptied by its owner. */
  readonly scratch?: string | undefined;
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
  // They are as large as what is learned of them, and made anew as fast as they are read.
  const start = (): OperatorValues => initialOperators(growth, initialization, seed, mapping);
  const resumed = task.resume ? await resumedRun(task) : undefined;
  const first = heldOnce(start());
  const before = await scoreModel(
    engine,
    grownModel(growth, small, first.held()),
    data.batches,
    data.shape,
    context.signal,
  );
  report(context, { type: 'evaluation', model: 'before', step: 0, ...before });
  const { program, weights } = learningProgram(growth, settings, data.shape);
  const flops = countFlops(programResults(program));
  const flopsPerStep = batchesPerUpdate(settings) * (flops.matrix + flops.other);
  const result = await trainOperators(context, engine, task, {
    program,
    frozen: Object.fromEntries([...weights.small.keys()].map(name => [name, small[name]!])),
    first,
    start,
    resumed,
    flopsPerStep,
  });
  const initial = start();
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
  /** The operators before the first update, and what makes them anew. */
  readonly first: HeldOnce<OperatorValues>;
  readonly start: () => OperatorValues;
  readonly resumed: ResumedRun | undefined;
  readonly flopsPerStep: number;
}

interface ResumedRun extends Omit<RunState, 'tensors'> {
  readonly tensors: HeldOnce<NamedData>;
}

async function resumedRun(task: LearningTask): Promise<ResumedRun> {
  const { tensors, ...run } = await loadRunState(task.out, task);
  return { ...run, tensors: heldOnce(tensors) };
}

/** Values as large as what they are loaded into, which are given out of hand with it. */
interface HeldOnce<T extends NamedData> {
  readonly held: () => T;
  /** They are not held any more. */
  readonly give: () => T;
}

function heldOnce<T extends NamedData>(values: T): HeldOnce<T> {
  let held: T | undefined = values;
  const get = (): T => {
    if (held === undefined) throw new Error('values were given away');
    return held;
  };
  return {
    held: get,
    give: () => {
      const given = get();
      held = undefined;
      return given;
    },
  };
}

async function trainOperators(
  context: RunContext,
  engine: Engine,
  task: LearningTask,
  { program, frozen, first, start, resumed, flopsPerStep }: PreparedTraining,
): Promise<LoopResult & Pick<LearnedOperators, 'seconds' | 'resumedAfter'>> {
  const { settings, data, growth, saveEvery, out, fingerprint, decisions } = task;
  const executable = await engine.compile(program, { spareMemory: settings.recompute ?? false });
  const resumedAfter = resumed ? [...(resumed.resumedAfter ?? []), resumed.step] : [];
  const identity = {
    fingerprint,
    decisions,
    ...(resumed && { resumedAfter }),
  };
  const save = savesOnTheWay(context, out);
  let seconds = resumed?.seconds ?? 0;
  try {
    executable.load(frozen);
    executable.load({ ...first.give(), ...resumed?.tensors.give() }, { given: true });
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
        const pooled: PooledOperator[] = [];
        for (const operator of operators) {
          const values = (await executable.readState([operator.name])) as OperatorValues;
          pooled.push(...poolOperators([operator], values));
        }
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
      startState: resumed ? undefined : () => Promise.resolve(start()),
      keepEvery,
      keep: keeperOf(context, stateBytes(program), task.scratch),
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
