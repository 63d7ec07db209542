import type { KeptModel } from '../../protocol/comparison';
import type { LossUnit } from '../../protocol/evaluation';
import type { ComparedPoint, ComparedRun, ComparisonDetail } from '../../protocol/messages';
import type { ComparisonRequest } from '../../protocol/runFolder';
import type { LoggedEvent } from '../../protocol/events';

/** The run of a comparison that is being made. */
export interface ComparisonMoment {
  /** 1 for the first. */
  readonly run: number;
  readonly runs: number;
  readonly method: string;
  readonly seed: number;
  readonly phase: 'growing' | 'training';
  /** Updates in this phase. */
  readonly step: number;
  readonly steps: number;
}

type Event<T extends LoggedEvent['type']> = Extract<LoggedEvent, { type: T }>;

interface MutableRun extends ComparedRun {
  state: ComparedRun['state'];
  curve: ComparedPoint[];
  message: string | undefined;
  /** Updates in its present phase. */
  step: number;
  steps: number;
  /** Updates of its operators in all, made once it trains; none where it learns none. */
  growthSteps: number;
  /** Spent so far. */
  seconds: number;
}

/** Runs at most: a damaged log could name one a line. */
const mostRuns = 10_000;

/** How far a comparison has come, from its request and its events. */
export class ComparisonRecord {
  private readonly runs: MutableRun[];
  private readonly byKey = new Map<string, MutableRun>();
  private current: MutableRun | undefined;
  private runsPlanned: number;
  private ended = 0;
  private smallLoss: number | undefined;
  private lossUnit: LossUnit | undefined;
  /** Trained models that were kept, the winner's first. */
  models: readonly KeptModel[] = [];

  constructor(private readonly request: Pick<ComparisonRequest, 'methods' | 'seeds' | 'steps'>) {
    const { methods, seeds } = request;
    this.runs = seeds
      .flatMap(seed => methods.map(method => newRun(method, seed)))
      .slice(0, mostRuns);
    for (const run of this.runs) this.byKey.set(keyOf(run), run);
    this.runsPlanned = this.runs.length;
  }

  /** Takes in the start or the end of a run. */
  applyRun(event: Event<'comparisonRun'>): void {
    const { method, seed, state, ended, runs, smallLoss, lossUnit, message } = event;
    const run = this.find(method, seed);
    if (!run) return;
    this.runsPlanned = runs;
    this.ended = ended;
    if (Number.isFinite(smallLoss)) this.smallLoss = smallLoss;
    this.lossUnit = lossUnit ?? this.lossUnit;
    if (state === 'started') {
      // A run that was stopped tells again what it had told, or is made anew.
      const { growthSteps } = run;
      Object.assign(run, newRun(method, seed), { state: 'growing', growthSteps });
      this.current = run;
      return;
    }
    run.state = state;
    run.message = message;
    // Others may be made at the same time.
    if (this.current === run) this.current = this.runs.find(isMade);
  }

  /** Takes in how far a run has come. */
  applyProgress(event: Event<'comparison'>): void {
    const run = this.find(event.method, event.seed);
    if (!run) return;
    const { step, steps, flops, seconds } = event;
    Object.assign(run, { step, steps, seconds });
    if (event.phase === 'growth') {
      Object.assign(run, { state: 'growing', growthSteps: steps });
    } else {
      run.state = 'training';
      run.curve.push({ step, loss: event.loss, flops, seconds });
    }
  }

  /** Takes in a step between evaluations. */
  applyStep({ method, seed, step, steps, seconds }: Event<'comparisonStep'>): void {
    const run = this.find(method, seed);
    if (run) Object.assign(run, { state: 'training', step, steps, seconds });
  }

  /** What is being made now; undefined before, between and after runs. */
  get moment(): ComparisonMoment | undefined {
    if (!this.current) return undefined;
    const { method, seed, state, step, steps } = this.current;
    const phase = state === 'training' ? 'training' : 'growing';
    return {
      run: Math.min(this.ended + 1, this.runsPlanned),
      runs: this.runsPlanned,
      method,
      seed,
      phase,
      step,
      steps,
    };
  }

  /** True while runs are left to be made. */
  get unfinished(): boolean {
    return this.ended < this.runsPlanned;
  }

  /**
   * Steps of all runs together, of learning operators too once a run of the method told how many; a run
   * that ended has made all of its.
   */
  get progress(): { readonly step: number; readonly steps: number } {
    const { steps } = this.request;
    const running = total(this.runs.filter(isMade), madeSteps);
    const growth = this.growthSteps();
    const growthOf = ({ method }: ComparedRun): number => growth.get(method) ?? 0;
    const grown = total(this.runs.filter(hasEnded), growthOf);
    return {
      step: this.ended * steps + grown + running,
      steps: this.runsPlanned * steps + total(this.runs, growthOf),
    };
  }

  /** Newest held-out loss, and those before it in the same run. */
  get losses(): readonly number[] {
    const run = this.current ?? this.runs.filter(({ curve }) => curve.length > 0).at(-1);
    return run?.curve.map(({ loss }) => loss) ?? [];
  }

  /** By what steps have taken so far; undefined until one was told. Evaluations are not counted. */
  get secondsLeft(): number | undefined {
    const steps = total(this.runs, madeSteps);
    const seconds = total(this.runs, run => run.seconds);
    const { progress } = this;
    return steps > 0 ? (seconds / steps) * (progress.steps - progress.step) : undefined;
  }

  /** What the run panel shows. */
  get detail(): ComparisonDetail {
    return {
      smallLoss: this.smallLoss,
      lossUnit: this.lossUnit,
      models: this.models,
      runs: this.runs.map(({ method, seed, state, curve, message }) => ({
        method,
        seed,
        state,
        message,
        curve: [...curve],
      })),
    };
  }

  /** Updates of the operators in one run of each method, as far as any of its runs told. */
  private growthSteps(): ReadonlyMap<string, number> {
    const most = new Map<string, number>();
    for (const { method, growthSteps } of this.runs) {
      most.set(method, Math.max(most.get(method) ?? 0, growthSteps));
    }
    return most;
  }

  /** Undefined when there are too many already. */
  private find(method: string, seed: number): MutableRun | undefined {
    const known = this.byKey.get(keyOf({ method, seed }));
    if (known || this.runs.length >= mostRuns) return known;
    const run = newRun(method, seed);
    this.runs.push(run);
    this.byKey.set(keyOf(run), run);
    return run;
  }
}

const keyOf = ({ method, seed }: Pick<ComparedRun, 'method' | 'seed'>): string =>
  `${seed} ${method}`;

const newRun = (method: string, seed: number): MutableRun => ({
  method,
  seed,
  state: 'waiting',
  curve: [],
  message: undefined,
  step: 0,
  steps: 0,
  growthSteps: 0,
  seconds: 0,
});

/** Updates made in all phases of a run. */
const madeSteps = ({ state, step, growthSteps }: MutableRun): number =>
  state === 'growing' ? step : growthSteps + step;

const total = (runs: readonly MutableRun[], read: (run: MutableRun) => number): number =>
  runs.reduce((sum, run) => sum + read(run), 0);

const isMade = ({ state }: ComparedRun): boolean => state === 'growing' || state === 'training';
const hasEnded = ({ state }: ComparedRun): boolean => state === 'finished' || state === 'failed';
