/** The files of a run's folder, and the claims of devices. */
import * as z from 'zod/mini';
import { ggufTypes } from './conversion';
import { keep } from './comparisonSchemas';
import { engineChoices } from './engines';
import { moment, path, size, updates } from './fieldSchemas';
import { askedSizes, schedules, type AskedSize } from './model';

const count = z.int().check(z.minimum(1), z.maximum(1e9));
const seed = z.int().check(z.minimum(0));
const method = z.string().check(z.maxLength(100));
const title = z.string().check(z.maxLength(1000));
const runId = z.string().check(z.regex(/^[\w-]{1,100}$/));
const process = z.int().check(z.minimum(1));

/** Sizes that are asked for. */
const target = z.strictObject(
  Object.fromEntries(askedSizes.map(name => [name, z.exactOptional(size)])) as {
    [name in AskedSize]: ReturnType<typeof z.exactOptional<typeof size>>;
  },
);

/** What all requests tell. */
const request = {
  /** The one version that this software reads. */
  version: z.literal(1),
  id: runId,
  title,
  /** Milliseconds since the epoch. */
  created: moment,
  engine: z.enum(engineChoices),
  checkpoint: path,
  /** The folder to write. */
  out: path,
  /** Of the CPU engine; absent for as many as the machine has. */
  threads: z.exactOptional(z.int().check(z.minimum(1), z.maximum(1024))),
  resume: z.boolean(),
  overwrite: z.boolean(),
};

/** Where data lies and how it is cut into batches. */
const data = z.object({
  path,
  batchSize: z.exactOptional(size),
  sequenceLength: z.exactOptional(size),
});

/** What a person may say of a growth beyond its sizes, data and steps; absent is the method's own. */
export const growthOptions = z.object({
  /** Peak, of all operators. */
  learningRate: z.exactOptional(z.number().check(z.positive(), z.maximum(10))),
  /** Batches whose gradients make one update. */
  accumulate: z.exactOptional(size),
  /** Computes activations again in the backward pass: more time, less memory. */
  recompute: z.exactOptional(z.boolean()),
  /** One width operator for the feed-forward units of all layers. */
  shareFfn: z.exactOptional(z.boolean()),
  /** Writes the grown model as a GGUF file, too. */
  gguf: z.exactOptional(z.enum(ggufTypes)),
});

/** One growth: the same request `ligo grow` makes. */
export const growthRequest = z.object({
  ...request,
  // What requests were before there were comparisons.
  kind: z._default(z.literal('grow'), 'grow'),
  target,
  method,
  data: z.exactOptional(data),
  steps: count,
  seed,
  /** Of matrix products; float32 where absent. */
  precision: z.exactOptional(z.literal('mixed')),
  ...growthOptions.shape,
});

/** A comparison of methods: the same request `ligo compare` makes. */
export const comparisonRequest = z.object({
  ...request,
  kind: z.literal('compare'),
  target,
  /** Training from scratch is always compared, whether named or not. */
  methods: z.array(method).check(z.minLength(1), z.maxLength(100)),
  data,
  /** Updates of each large model. */
  steps: count,
  /** One run of each method for each seed. */
  seeds: z.array(seed).check(z.minLength(1), z.maxLength(1000)),
  /** Steps between held-out evaluations; a twentieth of all when absent. */
  evaluateEvery: z.exactOptional(count),
  /** Updates of the operators, for methods that learn; a hundredth of `steps`, 10 … 100, when absent. */
  growthSteps: z.exactOptional(count),
  /** Whose trained models are written beside the report; the winner's when absent. */
  keep: z.exactOptional(keep),
});

const share = z.number().check(z.positive(), z.lt(1));

/** What a person may say of a training beyond its data and steps; absent is what `ligo train` has. */
export const trainingOptions = z.object({
  /** Peak. */
  learningRate: z.exactOptional(z.number().check(z.positive(), z.maximum(10))),
  schedule: z.exactOptional(z.enum(schedules)),
  /** Updates of warm-up; a tenth of all when absent. */
  warmup: z.exactOptional(updates),
  weightDecay: z.exactOptional(z.number().check(z.nonnegative(), z.maximum(10))),
  /** Batches whose gradients make one update. */
  accumulate: z.exactOptional(size),
  /** Computes activations again in the backward pass: more time, less memory. */
  recompute: z.exactOptional(z.boolean()),
  /** Share of the tokens that pass the middle layers by. */
  tokenDrop: z.exactOptional(share),
  /** Highest share of sequences that pass a layer by. */
  layerDrop: z.exactOptional(share),
  /** First updates, of the bottom layers alone. */
  subNetworkSteps: z.exactOptional(count),
  /** How many layers those are; half of them when absent. */
  subNetworkLayers: z.exactOptional(size),
  /** Begins with random weights; of the checkpoint only sizes stay. */
  fromScratch: z.exactOptional(z.boolean()),
  /** Writes the trained model as a GGUF file, too. */
  gguf: z.exactOptional(z.enum(ggufTypes)),
});

/** Training a checkpoint on: the same request `ligo train` makes. */
export const trainingRequest = z.object({
  ...request,
  kind: z.literal('train'),
  data,
  steps: count,
  seed,
  /** Of matrix products; float32 where absent. */
  precision: z.exactOptional(z.literal('mixed')),
  /** Steps between held-out evaluations; none on the way when absent or 0. */
  evaluateEvery: z.exactOptional(updates),
  ...trainingOptions.shape,
});

/** `request.json`: what a worker is asked to do. */
export const workerRequest = z.discriminatedUnion('kind', [
  growthRequest,
  comparisonRequest,
  trainingRequest,
]);

/**
 * `run`: go on; `pause`: wait between steps; `stopAndKeep`: end learning now and write the checkpoint
 * as it is; `cancel`: end and write nothing (the state stays resumable).
 */
export const runCommand = z.enum(['run', 'pause', 'stopAndKeep', 'cancel']);

/** `control.json` */
export const runControl = z.object({ command: runCommand });

/** `process.json`: who works on a run. */
export const workerProcess = z.object({
  pid: process,
  /** Milliseconds since the epoch; tells a recycled process id apart. */
  started: z.number().check(z.nonnegative()),
});

/** A run that holds a device of a machine, or is about to: how the windows of one machine know of it. */
export const deviceClaim = z.object({
  version: z.literal(1),
  /** Of the run. */
  id: runId,
  title,
  engine: z.enum(engineChoices),
  /** Of the run. */
  folder: path,
  /** Name of the machine. */
  machine: z.string().check(z.maxLength(1000)),
  /** What people call the window by that started it; empty where no folder was open in it. */
  window: z.string().check(z.maxLength(1000)),
  /** Process id of that window's host. */
  host: process,
  /** Milliseconds since the epoch. */
  since: moment,
  /** Absent until it has started. */
  worker: z.exactOptional(workerProcess),
});
