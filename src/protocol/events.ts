import type { loggedEvent, packedMatrix, pooledMatrix, runEvent, usage } from './eventSchemas';
import type { Inferred } from './inferred';
import type {
  ggufReceipt,
  growthPlan,
  growthReceipt,
  loggedReceipt,
  trainingReceipt,
} from './receiptSchemas';

export type GrowthPlan = Inferred<typeof growthPlan>;
export type Receipt = Inferred<typeof growthReceipt>;
export type GgufReceipt = Inferred<typeof ggufReceipt>;
export type LoggedReceipt = Inferred<typeof loggedReceipt>;
export type TrainedReceipt = Inferred<typeof trainingReceipt>;
export type PooledMatrix = Inferred<typeof pooledMatrix>;
export type PackedMatrix = Inferred<typeof packedMatrix>;
export type Usage = Inferred<typeof usage>;

/** What a run tells, each with its time. One JSON line with `--json`. */
export type RunEvent = Inferred<typeof runEvent>;
/** An event as it is read back from a log: every `RunEvent` is one. */
export type LoggedEvent = Inferred<typeof loggedEvent>;

/** An event before it has its time. */
export type RunEventBody = Untimed<RunEvent>;
type Untimed<Event> = Event extends RunEvent ? Omit<Event, 'time'> : never;

/** What a comparison tells of its runs. */
export type ComparisonEvent = Untimed<
  Extract<RunEvent, { type: 'comparison' | 'comparisonStep' | 'comparisonRun' }>
>;
