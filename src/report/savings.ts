import type {
  CurvePoint,
  FinishedRun,
  MethodPoint,
  Savings,
  SeedSavings,
  Spread,
} from '../protocol/comparison';

/** What can be spent on the way to a loss. */
export type Spending = 'step' | 'flops' | 'paperFlops' | 'seconds';

/**
 * What a run had spent when its held-out loss first reached a target; between evaluations the loss is
 * taken to fall on a straight line. Undefined when it never did.
 */
export function spentToReach<T extends CurvePoint>(
  curve: readonly T[],
  target: number,
  read: (point: T) => number,
): number | undefined {
  const index = curve.findIndex(({ loss }) => loss <= target);
  const reached = curve[index];
  if (!reached) return undefined;
  const before = curve[index - 1];
  if (!before) return read(reached);
  const share = (before.loss - target) / (before.loss - reached.loss);
  return read(before) + share * (read(reached) - read(before));
}

/** Held-out loss that a run ended with. */
export const finalLoss = ({ curve }: FinishedRun): number => curve.at(-1)!.loss;

/**
 * What a run saved against the scratch run of the same seed: 1 − method / scratch, each to its first
 * reach of the scratch run's final held-out loss. The scratch run saves nothing against itself.
 * @param smallFlops exact FLOPs of the small model's own training, where known.
 */
export function savingsOf(
  run: FinishedRun,
  scratch: FinishedRun,
  smallFlops?: number,
): SeedSavings {
  const { seed } = run;
  const target = finalLoss(scratch);
  const spent = (curve: readonly MethodPoint[], kind: Spending): number | undefined =>
    spentToReach(curve, target, point => point[kind]);
  const steps = spent(run.curve, 'step');
  if (steps === undefined) return { seed, target };
  const ratio = (kind: Spending, extra = 0): number =>
    (spent(run.curve, kind)! + extra) / spent(scratch.curve, kind)!;
  const savings: Savings = {
    flops: 1 - ratio('flops'),
    paperFlops: 1 - ratio('paperFlops'),
    seconds: 1 - ratio('seconds'),
    ...(smallFlops !== undefined && {
      flopsWithSmall: 1 - ratio('flops', run === scratch ? 0 : smallFlops),
    }),
  };
  return { seed, target, steps, savings };
}

/** Mean, smallest and largest of at least one number; undefined of none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, least: Math.min(...values), most: Math.max(...values) };
}
