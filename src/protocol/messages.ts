import type { Told } from './told';
import type { KeptModel } from './comparison';
import type { LossUnit, ModelEvaluation } from './evaluation';
import type { Inferred } from './inferred';
import type {
  fromCurves,
  fromInspector,
  fromProgress,
  fromRunPanel,
  nextStep,
} from './messageSchemas';
import type { WorkerRequest } from './runFolder';
import type { GrowthPlan, PooledMatrix, LoggedReceipt, TrainedReceipt, Usage } from './events';

/** Where a run stands. */
export type RunStatus =
  'queued' | 'starting' | 'running' | 'paused' | 'finishing' | 'done' | 'failed' | 'cancelled';

/** What lists and the progress view show of a run. */
export interface RunSummary {
  readonly id: string;
  readonly kind: WorkerRequest['kind'];
  readonly title: string;
  readonly status: RunStatus;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** What is being done, for people: "learning operators". */
  readonly phase: string;
  /** Of a comparison: training steps of all its runs together. */
  readonly step: number;
  readonly steps: number;
  /** Newest loss of a step on its batch; of a comparison a held-out one. */
  readonly loss: number | undefined;
  /** Of what came out, on held-out data as the receipt has it. */
  readonly heldOutLoss: number | undefined;
  /** At most about 200 points of the loss curve. */
  readonly lossHistory: readonly number[];
  readonly secondsLeft: number | undefined;
  readonly tokensPerSecond: number | undefined;
  readonly device: string | undefined;
  /** Why this engine was chosen, on one line. */
  readonly reason: string | undefined;
  /** What it takes of the machine, while it lives. */
  readonly usage: Usage | undefined;
  readonly out: string;
  /** Why it failed, with the remedy. */
  readonly failure: { readonly message: string; readonly remedy: string } | undefined;
}

/** A pooled matrix on its way to a page. */
export type PicturedMatrix = Omit<PooledMatrix, 'values'> & {
  readonly values: readonly number[] | Float32Array;
};

/** Operators at one moment of the training. */
export interface OperatorSnapshot {
  readonly step: number;
  readonly operators: readonly PicturedMatrix[];
  /** Operators that are not shown: even small pictures of all of them were too many. */
  readonly omitted?: number;
}

/** One held-out evaluation of a run of a comparison; what was spent includes the growth. */
export interface ComparedPoint {
  readonly step: number;
  /** NaN when it was no number. */
  readonly loss: number;
  readonly flops: number;
  readonly seconds: number;
}

/** One method with one seed, as far as it has come. */
export interface ComparedRun {
  readonly method: string;
  readonly seed: number;
  readonly state: 'waiting' | 'growing' | 'training' | 'finished' | 'failed';
  /** The first point is the grown model before any training of its own. */
  readonly curve: readonly ComparedPoint[];
  /** Why it failed. */
  readonly message: string | undefined;
}

/** What the run panel shows of a comparison. */
export interface ComparisonDetail {
  /** Held-out loss of the small model, once a run finished. */
  readonly smallLoss: number | undefined;
  /** Absent until a run finished. */
  readonly lossUnit?: LossUnit | undefined;
  /** Trained models that were kept, the winner's first; empty until it is done. */
  readonly models: readonly KeptModel[];
  /** In the order they are made; a method's runs have the same name. */
  readonly runs: readonly ComparedRun[];
}

/** Parallel lists, one entry a step. */
export interface RunCurve {
  readonly steps: readonly number[];
  readonly losses: readonly number[];
  /** Learning rates, NaN where one is not known; absent where none is. */
  readonly rates?: readonly number[];
}

/** Everything the run panel shows. */
export interface RunDetail {
  readonly summary: RunSummary;
  readonly plan: GrowthPlan | undefined;
  readonly curve: RunCurve;
  readonly evaluations: readonly ModelEvaluation[];
  /** The newest picture of the operators; those before it come when the page asks for the history. */
  readonly snapshots: readonly OperatorSnapshot[];
  /** Steps of the pictures that the history has. */
  readonly history?: readonly number[];
  readonly warnings: readonly string[];
  readonly receipt: LoggedReceipt | undefined;
  /** Of a training, in place of that of a growth. */
  readonly training: TrainedReceipt | undefined;
  /** Of a comparison, which has no curve, evaluations and snapshots of its own. */
  readonly comparison: ComparisonDetail | undefined;
}

/** What is new of a run since the page was told of it. */
export interface RunIncrement extends RunCurve {
  readonly evaluations: RunDetail['evaluations'];
  /** When something of these is new. */
  readonly facts?: Pick<RunDetail, 'plan' | 'warnings' | 'receipt' | 'training'>;
  /** The whole of it, when something of it is new. */
  readonly comparison?: ComparisonDetail;
}

/** Strings and settings a page needs at start; localised by the host. */
export interface PageOptions {
  /** Translations of the page's English strings; missing ones stay English. */
  readonly strings: Readonly<Record<string, string>>;
  readonly colorMap: 'RdBu' | 'PuOr';
}

/** A run of another window that holds a device of this machine. */
export interface RunElsewhere {
  readonly id: string;
  readonly title: string;
  /** What people call that window. */
  readonly window: string;
}

/** Host → progress view (sidebar). */
export type ToProgress =
  | { readonly type: 'options'; readonly options: PageOptions }
  | {
      readonly type: 'runs';
      readonly runs: readonly RunSummary[];
      readonly elsewhere: readonly RunElsewhere[];
    };

/** Host → run panel: the whole at first and when it becomes visible again, then increments. */
export type ToRunPanel =
  | { readonly type: 'options'; readonly options: PageOptions }
  | { readonly type: 'run'; readonly run: RunDetail }
  | (RunIncrement & {
      readonly type: 'append';
      readonly summary: RunSummary;
      readonly snapshots: readonly OperatorSnapshot[];
      /** The snapshots are of the history: some of it, or the last of it. */
      readonly past?: 'some' | 'all';
    })
  | {
      /** Answer to `exactOperator`: full resolution of a finished run's operator. */
      readonly type: 'exactOperator';
      readonly name: string;
      readonly shape: readonly [number, number];
      readonly values: Float32Array | undefined;
    };

/** Of a run, what a chart of several shows. */
export interface RunCurves {
  readonly id: string;
  readonly title: string;
  readonly status: RunStatus;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly curve: RunCurve;
  /** Held-out losses of the model that the run makes. */
  readonly heldOut: RunCurve;
}

/** Host → page of several curves. */
export type ToCurves =
  | { readonly type: 'options'; readonly options: PageOptions }
  | { readonly type: 'curves'; readonly runs: readonly RunCurves[] };

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
  /** What people call it: its folder where the file has the usual name. */
  readonly name: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly tensors: readonly TensorRow[];
  /** Whether it is a model of a known family. */
  readonly canGrow: boolean;
  readonly problems: readonly Told[];
  readonly notes: readonly Told[];
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Host → inspector. */
export type ToInspector =
  | { readonly type: 'options'; readonly options: PageOptions }
  | { readonly type: 'checkpoint'; readonly checkpoint: InspectedCheckpoint }
  | { readonly type: 'statistics'; readonly statistics: TensorStatistics }
  | { readonly type: 'failed'; readonly message: string; readonly remedy: string };

export type NextStep = Inferred<typeof nextStep>;
export type FromProgress = Inferred<typeof fromProgress>;
export type FromRunPanel = Inferred<typeof fromRunPanel>;
export type FromCurves = Inferred<typeof fromCurves>;
export type FromInspector = Inferred<typeof fromInspector>;
