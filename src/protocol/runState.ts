/** What a run is, by what it told: one reading of its events for whoever shows it. */
import { newComparison, reduceComparison, type ComparisonState } from './comparisonState';
import { emptyCurve, withPoint, type AtStep, type Curve } from './curve';
import { evaluationOf, withEvaluation, type ModelEvaluation } from './evaluation';
import type { GrowthPlan, LoggedEvent, LoggedReceipt, TrainedReceipt, Usage } from './events';
import type { ComparisonRequest } from './runFolder';

type Event<T extends LoggedEvent['type']> = Extract<LoggedEvent, { type: T }>;

/** A loss on the batch of a step; NaN where it was no number. */
export interface StepLoss extends AtStep {
  readonly loss: number;
  /** The largest of its parameter groups; older logs do not say. */
  readonly rate?: number;
}

/** A run after some of its events. */
export interface RunState {
  /** Undefined while it goes on. */
  readonly end: 'done' | 'failed' | 'cancelled' | undefined;
  readonly failure: { readonly message: string; readonly remedy: string } | undefined;
  readonly plan: GrowthPlan | undefined;
  readonly receipt: LoggedReceipt | undefined;
  /** Of a training, in place of that of a growth. */
  readonly training: TrainedReceipt | undefined;
  readonly curve: Curve<StepLoss>;
  /** 0 for methods that learn nothing. */
  readonly stepsPlanned: number;
  /** What the last steps took, by which the time left is judged. */
  readonly recentSeconds: readonly number[];
  /** Undefined where it is no number. */
  readonly tokensPerSecond: number | undefined;
  readonly evaluations: readonly ModelEvaluation[];
  readonly warnings: readonly string[];
  readonly device: string | undefined;
  /** Why this engine was chosen, on one line. */
  readonly reason: string | undefined;
  readonly usage: Usage | undefined;
  /** Of a comparison of methods. */
  readonly comparison: ComparisonState | undefined;
}

/** Warnings that are kept. */
const mostWarnings = 1000;
/** Steps that the time left is judged by. */
const recentSteps = 20;

/** A run that has told nothing yet; `compared` is the request of a comparison. */
export const newRun = (
  compared?: Pick<ComparisonRequest, 'methods' | 'seeds' | 'steps'>,
): RunState => ({
  end: undefined,
  failure: undefined,
  plan: undefined,
  receipt: undefined,
  training: undefined,
  curve: emptyCurve,
  stepsPlanned: 0,
  recentSeconds: [],
  tokensPerSecond: undefined,
  evaluations: [],
  warnings: [],
  device: undefined,
  reason: undefined,
  usage: undefined,
  comparison: compared && newComparison(compared),
});

/** The run after one more event; what was before stays as it was. */
export function reduce(state: RunState, event: LoggedEvent): RunState {
  switch (event.type) {
    case 'done':
      return withResult(state, event);
    case 'failed': {
      const { message, remedy, interrupted } = event;
      const end = interrupted === true ? 'cancelled' : 'failed';
      return { ...state, end, failure: { message, remedy } };
    }
    default:
      // Whatever comes after an end comes from a worker that took the run up again.
      return withNews(state.end ? { ...state, end: undefined, failure: undefined } : state, event);
  }
}

function withNews(
  state: RunState,
  event: Exclude<LoggedEvent, { type: 'done' | 'failed' }>,
): RunState {
  switch (event.type) {
    case 'plan':
      return { ...state, plan: event.plan, stepsPlanned: event.plan.cost?.steps ?? 0 };
    case 'device':
      return { ...state, device: event.device, reason: event.reason };
    case 'usage': {
      const { residentBytes, device } = event;
      return { ...state, usage: { residentBytes, ...(device && { device }) } };
    }
    case 'step':
      return withStep(state, event);
    case 'evaluation': {
      const entry = { model: event.model, step: event.step, ...evaluationOf(event) };
      return { ...state, evaluations: withEvaluation(state.evaluations, entry) };
    }
    case 'warning': {
      const { warnings } = state;
      if (warnings.length >= mostWarnings) return state;
      return { ...state, warnings: [...warnings, `${event.message} ${event.remedy}`] };
    }
    case 'comparison':
    case 'comparisonStep':
    case 'comparisonRun':
      if (!state.comparison) return state;
      return { ...state, comparison: reduceComparison(state.comparison, event) };
    // Pictures are read where they are wanted, and a state on the disk is the host's affair.
    case 'operators':
    case 'saved':
      return state;
  }
}

function withStep(state: RunState, event: Event<'step'>): RunState {
  const { step, steps, loss, seconds, tokensPerSecond, learningRate } = event;
  const rate = learningRate && Math.max(...Object.values(learningRate));
  return {
    ...state,
    curve: withPoint(state.curve, { step, loss, ...(rate !== undefined && { rate }) }),
    stepsPlanned: steps,
    recentSeconds: [...state.recentSeconds.slice(1 - recentSteps), seconds],
    tokensPerSecond: Number.isFinite(tokensPerSecond) ? tokensPerSecond : undefined,
  };
}

function withResult(state: RunState, { receipt, training, models = [] }: Event<'done'>): RunState {
  return {
    ...state,
    end: 'done',
    receipt,
    training,
    comparison: state.comparison && { ...state.comparison, models },
  };
}
