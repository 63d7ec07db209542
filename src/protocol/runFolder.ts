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
  /** One `RunEvent` a line, appended. The last line of a run that ended is `done` or `failed`. */
  events: 'events.jsonl',
  /** What the person wants now: `RunControl`. Replaced by the host, read between steps. */
  control: 'control.json',
  /** Everything the worker printed, for when it dies. */
  log: 'worker.log',
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
  readonly target: {
    readonly layers?: number;
    readonly hidden?: number;
    readonly heads?: number;
    readonly ffn?: number;
  };
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

/** One growth: the same request `ligo grow` makes. */
export interface GrowthRequest extends RequestBase {
  readonly kind: 'grow';
  readonly method: string;
  readonly data?: RequestData;
  readonly steps: number;
  readonly seed: number;
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
