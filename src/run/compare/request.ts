import { UsageError } from '../../errors';
import { counted } from '../../format';
import type { GrowthMethodName } from '../../growth';
import { yardstick, type Keep } from '../../protocol/comparison';
import type { DataOptions } from '../open/openData';
import type { Target } from '../plan/plan';
import { defaultWarmup, ligoDefaults, type LigoSettings, type TrainSettings } from '../settings';
import type { RunKey } from './runStore';
import { by } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Methods that are compared unless others are named: LiGO and what its paper compares it with. */
export const usualMethods: readonly GrowthMethodName[] = ['ligo', 'stack', 'bert2bert', 'net2net'];

/**
 * Updates of the operators unless it is said how many: a hundredth of the training's, 10 … 100. Where
 * trainings are short, more cost what they gain (docs/results.md).
 */
export const usualGrowthSteps = (steps: number): number =>
  Math.min(100, Math.max(10, Math.round(steps / 100)));

/** Steps between evaluations unless it is said how many: a twentieth of all. */
export const usualEvaluateEvery = (steps: number): number => Math.max(1, Math.floor(steps / 20));

/** A comparison of methods on one growth. */
export interface CompareRequest {
  readonly checkpoint: string;
  readonly target: Target;
  /** The seed of each run decides its order of batches. */
  readonly data: Omit<DataOptions, 'seed'>;
  readonly out: string;
  /** Training from scratch is always compared, whether named or not. */
  readonly methods: readonly GrowthMethodName[];
  readonly seeds: readonly number[];
  /** The same for every method. */
  readonly training: TrainSettings;
  /** Updates of the operators, for methods that learn; the rest is the method's own. */
  readonly growthSteps: number;
  /** Random part of new weights, for methods that learn; the method's own when absent. */
  readonly freshness?: number;
  readonly evaluateEvery: number;
  /** How the small model was trained, to count its training too. */
  readonly smallTraining?: { readonly steps: number; readonly batchSize?: number | undefined };
  /** Whose trained models are written beside the report; none where absent. */
  readonly keep?: Keep;
  /** Runs at the same time, each in a process of its own. */
  readonly parallel?: number;
  /** Go on with an earlier, stopped comparison, from where each of its runs stood. */
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  /** For the report: a command line that repeats the comparison. */
  readonly command?: string;
}

/** One run as a request names it. */
export interface RunName extends RunKey {
  readonly method: GrowthMethodName;
}

/** All runs of a comparison: seed by seed, from scratch first. */
export function runsOf({ methods, seeds }: CompareRequest): readonly RunName[] {
  const all = [yardstick, ...methods.filter(method => method !== yardstick)];
  return seeds.flatMap(seed => all.map(method => ({ method, seed })));
}

/** How a method learns in a comparison. */
export const growthSettings = (
  {
    growthSteps,
    freshness,
    training: { accumulate, recompute },
  }: Pick<CompareRequest, 'growthSteps' | 'freshness' | 'training'>,
  method: GrowthMethodName,
): LigoSettings => ({
  warmup: defaultWarmup(growthSteps),
  ...ligoDefaults(method),
  ...(freshness !== undefined && { freshness }),
  ...(accumulate !== undefined && { accumulate }),
  ...(recompute !== undefined && { recompute }),
  steps: growthSteps,
});

/** Throws UsageError when the request makes no comparison. */
export function checkRequest(request: CompareRequest): void {
  const { methods, seeds, training, evaluateEvery } = request;
  const twice = <T>(list: readonly T[]): T | undefined =>
    list.find((item, index) => list.indexOf(item) !== index);
  const method = twice(methods);
  if (method !== undefined) {
    throw new UsageError(`The method ${method} is named twice.`, 'Name each method once.');
  }
  const seed = twice(seeds);
  if (seed !== undefined) {
    throw new UsageError(`The seed ${seed} is named twice.`, 'Name each seed once.');
  }
  if (evaluateEvery > training.steps) {
    throw new UsageError(
      `Evaluating every ${counted(evaluateEvery, 'step')} never happens in ${counted(training.steps, 'step')}.`,
      advise`Evaluate more often${by('evaluateEvery')}, or train for more steps${by('steps')}.`,
    );
  }
}
