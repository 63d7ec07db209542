import type { Inferred } from './inferred';
import type {
  comparisonRequest,
  deviceClaim,
  growthOptions,
  growthRequest,
  runCommand,
  trainingOptions,
  trainingRequest,
  workerProcess,
  workerRequest,
} from './runFolderSchemas';

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
   * The newest `step`, `usage`, `evaluation`, `comparison` and `comparisonStep` where `events.jsonl` left it out, a line
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
  /** Held-out losses on the way of a training. */
  heldOut: 200_000,
  /** Everything; a run that is taken up again shares what is left of it. */
  total: 4_500_000,
} as const;

export type WorkerRequest = Inferred<typeof workerRequest>;
export type GrowthRequest = Inferred<typeof growthRequest>;
export type ComparisonRequest = Inferred<typeof comparisonRequest>;
export type GrowthOptions = Inferred<typeof growthOptions>;
export type TrainingRequest = Inferred<typeof trainingRequest>;
export type TrainingOptions = Inferred<typeof trainingOptions>;
export type WorkerProcess = Inferred<typeof workerProcess>;
export type RunCommand = Inferred<typeof runCommand>;
export type DeviceClaim = Inferred<typeof deviceClaim>;
