import type { TargetSizes } from './model';
import type { Keep } from './comparison';
import type { EngineChoice } from './engines';

/**
 * How a host and a detached worker share a run: by files in the run's own folder, so that either may
 * die and be found again. The worker writes all of them but `request.json` and `control.json`.
 */
export const runFiles = {
  /** What to do: `WorkerRequest`. Written by the host before the worker starts. */
  request: 'request.json',
  /** The process that has claimed the run: `WorkerProcess`. Only one worker can write it. */
  process: 'process.json',
  /**
   * One `RunEvent` a line, appended. The last line of a run that ended is `done` or `failed`. It stays
   * within `logBudget`: of a long run it has steps evenly spaced, and pictures of operators between the
   * first and the last may be packed (`PackedMatrix`) and smaller. Logs of earlier versions have every
   * step, and every picture as lists of numbers.
   */
  events: 'events.jsonl',
  /**
   * The newest `step`, `usage`, `comparison` and `comparisonStep` where `events.jsonl` left it out, a line
   * each, replaced a few times a second. A line counts while no event has a later `time`.
   */
  newest: 'newest.jsonl',
  /** The newest picture of the operators in full, one `operators` line, until the log has the last one. */
  picture: 'operators.jsonl',
  /** What the person wants now: `RunControl`. Replaced by the host, read between steps. */
  control: 'control.json',
  /** Everything the worker printed, for when it dies. */
  log: 'worker.log',
} as const;

/**
 * Bytes that the events of a run take at most, whatever its steps and the size of its operators. What is
 * told once (the plan, warnings, held-out losses, the receipt) is always written: some thousands more.
 */
export const logBudget = {
  /** A whole picture of the operators: the first, the last, and the newest while the run goes on. */
  picture: 900_000,
  /** Pictures between the first and the last. */
  history: 1_500_000,
  steps: 700_000,
  /** Held-out losses of a comparison's runs. */
  comparison: 1_500_000,
  /** Everything; a run that is taken up again shares what is left of it. */
  total: 4_500_000,
} as const;

/** What a worker is asked to do. */
export type WorkerRequest = GrowthRequest | ComparisonRequest;

/** What all requests tell. */
interface RequestBase {
  readonly version: 1;
  readonly id: string;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly engine: EngineChoice;
  /** Absolute path. */
  readonly checkpoint: string;
  readonly target: TargetSizes;
  /** Absolute path of the folder to write. */
  readonly out: string;
  /** Of the CPU engine; absent for as many as the machine has. */
  readonly threads?: number;
  readonly resume: boolean;
  readonly overwrite: boolean;
}

/** Where data lies and how it is cut into batches. */
interface RequestData {
  /** Absolute path. */
  readonly path: string;
  readonly batchSize?: number;
  readonly sequenceLength?: number;
}

/** What a person may say of a growth beyond its sizes, data and steps; absent is the method's own. */
export interface GrowthOptions {
  /** Peak, of all operators. */
  readonly learningRate?: number;
  /** Batches whose gradients make one update. */
  readonly accumulate?: number;
  /** Computes activations again in the backward pass: more time, less memory. */
  readonly recompute?: boolean;
  /** One width operator for the feed-forward units of all layers. */
  readonly shareFfn?: boolean;
}

/** One growth: the same request `ligo grow` makes. */
export interface GrowthRequest extends RequestBase, GrowthOptions {
  readonly kind: 'grow';
  readonly method: string;
  readonly data?: RequestData;
  readonly steps: number;
  readonly seed: number;
  /** Of matrix products; float32 where absent. */
  readonly precision?: 'mixed';
}

/** A comparison of methods: the same request `ligo compare` makes. */
export interface ComparisonRequest extends RequestBase {
  readonly kind: 'compare';
  /** Training from scratch is always compared, whether named or not. */
  readonly methods: readonly string[];
  readonly data: RequestData;
  /** Updates of each large model. */
  readonly steps: number;
  /** One run of each method for each seed. */
  readonly seeds: readonly number[];
  /** Steps between held-out evaluations; a twentieth of all when absent. */
  readonly evaluateEvery?: number;
  /** Updates of the operators, for methods that learn; a hundredth of `steps`, 10 … 100, when absent. */
  readonly growthSteps?: number;
  /** Whose trained models are written beside the report; the winner's when absent. */
  readonly keep?: Keep;
}

/** Who works on a run. */
export interface WorkerProcess {
  readonly pid: number;
  /** Milliseconds since the epoch; tells a recycled process id apart. */
  readonly started: number;
}

/**
 * `run`: go on; `pause`: wait between steps; `stopAndKeep`: end learning now and write the checkpoint
 * as it is; `cancel`: end and write nothing (the state stays resumable).
 */
export type RunCommand = 'run' | 'pause' | 'stopAndKeep' | 'cancel';

/** Content of `control.json`. */
export interface RunControl {
  readonly command: RunCommand;
}

/** A run that holds a device of a machine, or is about to: how the windows of one machine know of it. */
export interface DeviceClaim {
  readonly version: 1;
  /** Of the run. */
  readonly id: string;
  readonly title: string;
  readonly engine: EngineChoice;
  /** Of the run. */
  readonly folder: string;
  /** Name of the machine. */
  readonly machine: string;
  /** What people call the window by that started it; empty where no folder was open in it. */
  readonly window: string;
  /** Process id of that window's host. */
  readonly host: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Absent until it has started. */
  readonly worker?: WorkerProcess;
}
