/** How far a comparison has come, by what it told. */
import type { KeptModel } from './comparison';
import { emptyCurve, lastOf, pointsOf, withPoint, type Curve } from './curve';
import type { LossUnit } from './evaluation';
import type { LoggedEvent } from './events';
import type { ComparedPoint, ComparedRun, ComparisonDetail } from './messages';
import type { ComparisonRequest } from './runFolder';

type Name = Pick<ComparedRun, 'method' | 'seed'>;
type Event<T extends LoggedEvent['type']> = Extract<LoggedEvent, { type: T }>;

/** One method with one seed, as far as it has come. */
interface ComparedRunState extends Omit<ComparedRun, 'curve'> {
  readonly curve: Curve<ComparedPoint>;
  /** Updates in its present phase. */
  readonly step: number;
  readonly steps: number;
  /** Updates of its operators in all, made once it trains; none where it learns none. */
  readonly growthSteps: number;
  /** Spent so far. */
  readonly seconds: number;
}

/** A comparison after some of its events. */
export interface ComparisonState {
  /** Updates of each large model. */
  readonly stepsEach: number;
  /** In the order they are made. */
  readonly runs: readonly ComparedRunState[];
  /** Where each stands in `runs`. States after each other share it, so it may tell of later runs too. */
  readonly places: Map<string, number>;
  /** Where the run stands that is being made. */
  readonly current: number | undefined;
  readonly planned: number;
  readonly ended: number;
  readonly smallLoss: number | undefined;
  readonly lossUnit: LossUnit | undefined;
  /** Trained models that were kept, the winner's first. */
  readonly models: readonly KeptModel[];
}

/** The run of a comparison that is being made. */
export interface ComparisonMoment extends Name {
  /** 1 for the first. */
  readonly run: number;
  readonly runs: number;
  readonly phase: 'growing' | 'training';
  /** Updates in this phase. */
  readonly step: number;
  readonly steps: number;
}

/** Runs at most: a damaged log could name one a line. */
const mostRuns = 10_000;

const keyOf = ({ method, seed }: Name): string => `${seed} ${method}`;
const placesOf = (runs: readonly ComparedRunState[]): Map<string, number> =>
  new Map(runs.map((run, at) => [keyOf(run), at]));

const waitingRun = ({ method, seed }: Name): ComparedRunState => ({
  method,
  seed,
  state: 'waiting',
  curve: emptyCurve,
  message: undefined,
  step: 0,
  steps: 0,
  growthSteps: 0,
  seconds: 0,
});

/** A comparison that has told nothing yet. */
export function newComparison({
  methods,
  seeds,
  steps,
}: Pick<ComparisonRequest, 'methods' | 'seeds' | 'steps'>): ComparisonState {
  const named = [...new Set(seeds)].flatMap(seed =>
    [...new Set(methods)].map(method => waitingRun({ method, seed })),
  );
  const runs = named.slice(0, mostRuns);
  return {
    stepsEach: steps,
    runs,
    places: placesOf(runs),
    current: undefined,
    planned: runs.length,
    ended: 0,
    smallLoss: undefined,
    lossUnit: undefined,
    models: [],
  };
}

/** The comparison after one more event. */
export function reduceComparison(
  state: ComparisonState,
  event: Event<'comparison' | 'comparisonStep' | 'comparisonRun'>,
): ComparisonState {
  const known = withRun(state, event);
  const at = placeOf(known, event);
  const run = at === undefined ? undefined : known.runs[at];
  // There are too many already.
  if (at === undefined || !run) return state;
  if (event.type === 'comparisonRun') return withTurn(known, at, run, event);
  const { step, steps, seconds } = event;
  const moved = { ...run, step, steps, seconds };
  const replaced = (next: ComparedRunState): ComparisonState => ({
    ...known,
    runs: known.runs.with(at, next),
  });
  if (event.type === 'comparisonStep') return replaced({ ...moved, state: 'training' });
  if (event.phase === 'growth') {
    return replaced({ ...moved, state: 'growing', growthSteps: steps });
  }
  const { loss, flops } = event;
  const curve = withPoint(run.curve, { step, loss, flops, seconds });
  return replaced({ ...moved, state: 'training', curve });
}

function placeOf({ runs, places }: ComparisonState, name: Name): number | undefined {
  const at = places.get(keyOf(name));
  return at !== undefined && at < runs.length ? at : undefined;
}

/** With a run that nobody had told of before, unless there are too many. */
function withRun(state: ComparisonState, name: Name): ComparisonState {
  const { runs } = state;
  if (placeOf(state, name) !== undefined || runs.length >= mostRuns) return state;
  // Whoever goes on from an earlier state goes another way.
  const places = state.places.size === runs.length ? state.places : placesOf(runs);
  places.set(keyOf(name), runs.length);
  return { ...state, places, runs: [...runs, waitingRun(name)] };
}

/** After the start or the end of a run. */
function withTurn(
  state: ComparisonState,
  at: number,
  run: ComparedRunState,
  event: Event<'comparisonRun'>,
): ComparisonState {
  const { runs: planned, ended, smallLoss, lossUnit = state.lossUnit, message } = event;
  const facts = {
    ...state,
    planned,
    ended,
    smallLoss: Number.isFinite(smallLoss) ? smallLoss : state.smallLoss,
    lossUnit,
  };
  if (event.state === 'started') {
    // A run that was stopped tells again what it had told, or is made anew.
    const begun: ComparedRunState = {
      ...waitingRun(run),
      state: 'growing',
      growthSteps: run.growthSteps,
    };
    return { ...facts, runs: state.runs.with(at, begun), current: at };
  }
  const runs = state.runs.with(at, { ...run, state: event.state, message });
  // Others may be made at the same time.
  const next = state.current === at ? runs.findIndex(isMade) : state.current;
  return { ...facts, runs, current: next === -1 ? undefined : next };
}

const isMade = ({ state }: Pick<ComparedRunState, 'state'>): boolean =>
  state === 'growing' || state === 'training';
const hasEnded = ({ state }: ComparedRunState): boolean =>
  state === 'finished' || state === 'failed';

/** What is being made now; undefined before, between and after runs. */
export function comparisonMoment(comparison: ComparisonState): ComparisonMoment | undefined {
  const { current, ended, planned, runs } = comparison;
  const run = current === undefined ? undefined : runs[current];
  if (!run) return undefined;
  const { method, seed, state, step, steps } = run;
  return {
    run: Math.min(ended + 1, planned),
    runs: planned,
    method,
    seed,
    phase: state === 'training' ? 'training' : 'growing',
    step,
    steps,
  };
}

/**
 * Steps of all runs together, of learning operators too once a run of the method told how many; a run
 * that ended has made all of its.
 */
export function comparisonProgress(state: ComparisonState): {
  readonly step: number;
  readonly steps: number;
} {
  const { runs, stepsEach, planned, ended } = state;
  const growth = new Map<string, number>();
  for (const { method, growthSteps } of runs) {
    growth.set(method, Math.max(growth.get(method) ?? 0, growthSteps));
  }
  const growthOf = ({ method }: ComparedRunState): number => growth.get(method) ?? 0;
  const made = total(runs.filter(isMade), madeSteps);
  return {
    step: ended * stepsEach + total(runs.filter(hasEnded), growthOf) + made,
    steps: planned * stepsEach + total(runs, growthOf),
  };
}

/** By what steps have taken so far; undefined until one was told. Evaluations are not counted. */
export function comparisonSecondsLeft(state: ComparisonState): number | undefined {
  const made = total(state.runs, madeSteps);
  const seconds = total(state.runs, run => run.seconds);
  const { step, steps } = comparisonProgress(state);
  return made > 0 ? (seconds / made) * (steps - step) : undefined;
}

/** Held-out losses of the run that is being made, or was made last. */
export function comparedLosses({ current, runs }: ComparisonState): readonly number[] {
  const run =
    current === undefined
      ? runs.findLast(({ curve }) => lastOf(curve) !== undefined)
      : runs[current];
  return run ? pointsOf(run.curve).map(({ loss }) => loss) : [];
}

/** What the run panel shows. */
export const comparisonDetail = ({
  smallLoss,
  lossUnit,
  models,
  runs,
}: ComparisonState): ComparisonDetail => ({
  smallLoss,
  lossUnit,
  models,
  runs: runs.map(({ method, seed, state, message, curve }) => ({
    method,
    seed,
    state,
    message,
    curve: pointsOf(curve),
  })),
});

/** Whether two states of a comparison have the same detail. */
export const sameDetail = (a: ComparisonState, b: ComparisonState): boolean =>
  a.smallLoss === b.smallLoss &&
  a.lossUnit === b.lossUnit &&
  a.models === b.models &&
  a.runs.length === b.runs.length &&
  a.runs.every((run, at) => {
    const other = b.runs[at]!;
    return (
      run === other ||
      (run.state === other.state && run.message === other.message && run.curve === other.curve)
    );
  });

/** Updates made in all phases of a run. */
const madeSteps = ({ state, step, growthSteps }: ComparedRunState): number =>
  state === 'growing' ? step : growthSteps + step;

const total = (
  runs: readonly ComparedRunState[],
  read: (run: ComparedRunState) => number,
): number => runs.reduce((sum, run) => sum + read(run), 0);
