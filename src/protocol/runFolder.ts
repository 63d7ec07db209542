/**
 * How a host and a detached worker share a run: by files in the run's own folder, so that either may
 * die and be found again. The worker writes all of them but `request.json` and `control.json`.
 */
export const runFiles = {
  /** What to do: `WorkerRequest`. Written by the host before the worker starts. */
  request: 'request.json',
  /** The worker's process: `WorkerProcess`. Written when it has started. */
  process: 'process.json',
  /** One `RunEvent` a line, appended. The last line of a run that ended is `done` or `failed`. */
  events: 'events.jsonl',
  /** What the person wants now: `RunControl`. Replaced by the host, read between steps. */
  control: 'control.json',
  /** Everything the worker printed, for when it dies. */
  log: 'worker.log',
} as const;

/** What a worker is asked to do; the same request `ligo grow` makes. */
export interface WorkerRequest {
  readonly version: 1;
  readonly id: string;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly kind: 'grow';
  readonly engine: string;
  /** Absolute path. */
  readonly checkpoint: string;
  readonly target: {
    readonly layers?: number;
    readonly hidden?: number;
    readonly heads?: number;
    readonly ffn?: number;
  };
  readonly method: string;
  readonly data?: {
    readonly path: string;
    readonly batchSize?: number;
    readonly sequenceLength?: number;
  };
  /** Absolute path of the folder to write. */
  readonly out: string;
  readonly steps: number;
  readonly seed: number;
  /** Of the CPU engine; absent for as many as the machine has. */
  readonly threads?: number;
  readonly resume: boolean;
  readonly overwrite: boolean;
}

/** Who works on a run. */
export interface WorkerProcess {
  readonly pid: number;
  /** Milliseconds since the epoch; tells a recycled process id apart. */
  readonly started: number;
  /** Resident memory when this was last written, bytes; rewritten every few seconds. */
  readonly residentBytes?: number;
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
