import type { RunCommand } from './runFolder';
import type { Evaluation, GrowthPlan, PooledMatrix, Receipt } from './events';

/** Where a run stands. */
export type RunStatus =
  'queued' | 'starting' | 'running' | 'paused' | 'finishing' | 'done' | 'failed' | 'cancelled';

/** What lists and the progress view show of a run. */
export interface RunSummary {
  readonly id: string;
  readonly title: string;
  readonly status: RunStatus;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** What is being done, for people: "learning operators". */
  readonly phase: string;
  readonly step: number;
  readonly steps: number;
  /** Newest step loss, nats. */
  readonly loss: number | undefined;
  /** At most about 200 points of the loss curve. */
  readonly lossHistory: readonly number[];
  readonly secondsLeft: number | undefined;
  readonly tokensPerSecond: number | undefined;
  readonly device: string | undefined;
  /** Resident bytes of the worker where the platform tells. */
  readonly memoryBytes: number | undefined;
  readonly out: string;
  /** Why it failed, with the remedy. */
  readonly failure: { readonly message: string; readonly remedy: string } | undefined;
}

/** Operators at one moment of the training. */
export interface OperatorSnapshot {
  readonly step: number;
  readonly operators: readonly PooledMatrix[];
}

/** Everything the run panel shows. */
export interface RunDetail {
  readonly summary: RunSummary;
  readonly plan: GrowthPlan | undefined;
  /** Parallel arrays, one entry a step. */
  readonly curve: { readonly steps: readonly number[]; readonly losses: readonly number[] };
  readonly evaluations: readonly (Evaluation & { readonly model: string; readonly step: number })[];
  readonly snapshots: readonly OperatorSnapshot[];
  readonly warnings: readonly string[];
  readonly receipt: Receipt | undefined;
}

/** Strings and settings a page needs at start; localised by the host. */
export interface PageOptions {
  /** Translations of the page's English strings; missing ones stay English. */
  readonly strings: Readonly<Record<string, string>>;
  readonly colorMap: 'RdBu' | 'PuOr';
}

/** Host → progress view (sidebar). */
export type ToProgress =
  | { readonly type: 'options'; readonly options: PageOptions }
  | { readonly type: 'runs'; readonly runs: readonly RunSummary[] };

/** Progress view → host. */
export type FromProgress =
  | { readonly type: 'ready' }
  | { readonly type: 'control'; readonly run: string; readonly command: RunCommand }
  | { readonly type: 'openRun'; readonly run: string }
  | { readonly type: 'openLog'; readonly run: string }
  | { readonly type: 'resumeRun'; readonly run: string }
  | { readonly type: 'revealOutput'; readonly run: string }
  | { readonly type: 'grow' };

/** Host → run panel: the whole at first and when it becomes visible again, then increments. */
export type ToRunPanel =
  | { readonly type: 'options'; readonly options: PageOptions }
  | { readonly type: 'run'; readonly run: RunDetail }
  | {
      readonly type: 'append';
      readonly summary: RunSummary;
      readonly steps: readonly number[];
      readonly losses: readonly number[];
      readonly snapshots: readonly OperatorSnapshot[];
      readonly evaluations: RunDetail['evaluations'];
      /** When something of these is new. */
      readonly facts?: Pick<RunDetail, 'plan' | 'warnings' | 'receipt'>;
    }
  | {
      /** Answer to `exactOperator`: full resolution of a finished run's operator. */
      readonly type: 'exactOperator';
      readonly name: string;
      readonly shape: readonly [number, number];
      readonly values: Float32Array | undefined;
    };

/** Run panel → host. */
export type FromRunPanel =
  | { readonly type: 'ready' }
  | { readonly type: 'control'; readonly command: RunCommand }
  | { readonly type: 'exactOperator'; readonly name: string }
  | {
      readonly type: 'export';
      readonly format: 'png' | 'svg' | 'csv';
      /** Suggested file name without folder. */
      readonly name: string;
      /** Text, or base64 for png. */
      readonly content: string;
    };

/** One row of the inspector's tensor table. */
export interface TensorRow {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** Statistics of one tensor, computed on demand from ranged reads. */
export interface TensorStatistics {
  readonly name: string;
  readonly count: number;
  readonly mean: number;
  readonly standardDeviation: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly zeros: number;
  readonly notFinite: number;
  readonly histogram: { readonly edges: readonly number[]; readonly counts: readonly number[] };
  /** Pooled to a picture; absent for scalars and vectors shorter than 2. */
  readonly picture: PooledMatrix | undefined;
  /** True when only a sample of a very large tensor was read. */
  readonly sampled: boolean;
}

/** What the inspector shows at first. */
export interface InspectedCheckpoint {
  readonly path: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly tensors: readonly TensorRow[];
  readonly problems: readonly { readonly message: string; readonly remedy: string }[];
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Host → inspector. */
export type ToInspector =
  | { readonly type: 'options'; readonly options: PageOptions }
  | { readonly type: 'checkpoint'; readonly checkpoint: InspectedCheckpoint }
  | { readonly type: 'statistics'; readonly statistics: TensorStatistics }
  | { readonly type: 'failed'; readonly message: string; readonly remedy: string };

/** Inspector → host. */
export type FromInspector =
  | { readonly type: 'ready' }
  | { readonly type: 'statistics'; readonly name: string }
  | { readonly type: 'grow' };
