import type {
  comparisonReport,
  comparisonRun,
  failedRun,
  finishedRun,
  grownRun,
  keep,
  keptModel,
  methodPoint,
  methodSummary,
  savings,
  seedSavings,
  spread,
} from './comparisonSchemas';
import type { Inferred } from './inferred';

/** Names of the files in the output folder of a comparison. */
export const comparisonFiles = { data: 'report.json', page: 'report.html' } as const;

/** The method that all others are measured against: training from scratch. */
export const yardstick = 'random' as const;

export type MethodPoint = Inferred<typeof methodPoint>;
/** Held-out scores in the course of a training. */
export type CurvePoint = Omit<MethodPoint, 'paperFlops'>;
export type GrownRun = Inferred<typeof grownRun>;
export type FinishedRun = Inferred<typeof finishedRun>;
export type FailedRun = Inferred<typeof failedRun>;
export type ComparisonRun = Inferred<typeof comparisonRun>;
export type Spread = Inferred<typeof spread>;
export type Savings = Inferred<typeof savings>;
export type SeedSavings = Inferred<typeof seedSavings>;
export type MethodSummary = Inferred<typeof methodSummary>;
export type Keep = Inferred<typeof keep>;
export type KeptModel = Inferred<typeof keptModel>;
export type ComparisonReport = Inferred<typeof comparisonReport>;
