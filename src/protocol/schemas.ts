/**
 * Runtime checks of what crosses a process. Pages import types only, so that none of this is in
 * their bundles.
 */
import * as z from 'zod/mini';
import { keptModel } from './comparisonSchemas';
import { engineChoices } from './engines';
import { lossUnits } from './evaluation';
import { growthPlan, growthReceipt, scores } from './receiptSchemas';
import type { FromInspector, FromProgress, FromRunPanel } from './messages';
import type { DeviceClaim, RunControl, WorkerProcess, WorkerRequest } from './runFolder';
import { askedSizes, type AskedSize } from './model';

/** The one version of `request.json` that this software reads. */
const version = 1;

const size = z.int().check(z.minimum(1), z.maximum(2 ** 20));
/** Updates, or a number of them that is planned. */
const updates = z.int().check(z.minimum(0), z.maximum(1e9));
/** A moment that a date can be made of, milliseconds since the epoch. */
const moment = z.number().check(z.minimum(0), z.maximum(8.64e15));
const path = z.string().check(z.minLength(1), z.maxLength(32_768));
const seconds = z.number().check(z.nonnegative());

const count = z.int().check(z.minimum(1), z.maximum(1e9));
const seed = z.int().check(z.minimum(0));
const method = z.string().check(z.maxLength(100));
const data = z.object({
  path,
  batchSize: z.exactOptional(size),
  sequenceLength: z.exactOptional(size),
});
const runId = z.string().check(z.regex(/^[\w-]{1,100}$/));
const title = z.string().check(z.maxLength(1000));
const request = {
  version: z.literal(version),
  id: runId,
  title,
  created: moment,
  engine: z.enum(engineChoices),
  checkpoint: path,
  target: z.strictObject(
    Object.fromEntries(askedSizes.map(name => [name, z.exactOptional(size)])) as {
      [name in AskedSize]: ReturnType<typeof z.exactOptional<typeof size>>;
    },
  ),
  out: path,
  threads: z.exactOptional(z.int().check(z.minimum(1), z.maximum(1024))),
  resume: z.boolean(),
  overwrite: z.boolean(),
};

/** Trained models that a comparison keeps, at most: one a run. */
const mostModels = 10_000;

/** Checks `request.json`. */
export const workerRequest: z.ZodMiniType<WorkerRequest> = z.discriminatedUnion('kind', [
  z.object({
    ...request,
    // What requests were before there were comparisons.
    kind: z._default(z.literal('grow'), 'grow'),
    method,
    data: z.exactOptional(data),
    steps: count,
    seed,
    precision: z.exactOptional(z.literal('mixed')),
    learningRate: z.exactOptional(z.number().check(z.positive(), z.maximum(10))),
    accumulate: z.exactOptional(size),
    recompute: z.exactOptional(z.boolean()),
    shareFfn: z.exactOptional(z.boolean()),
  }),
  z.object({
    ...request,
    kind: z.literal('compare'),
    methods: z.array(method).check(z.minLength(1), z.maxLength(100)),
    data,
    steps: count,
    seeds: z.array(seed).check(z.minLength(1), z.maxLength(1000)),
    evaluateEvery: z.exactOptional(count),
    growthSteps: z.exactOptional(count),
    keep: z.exactOptional(z.enum(['winner', 'all', 'none'])),
  }),
]);

/** Checks `control.json`. */
export const runControl: z.ZodMiniType<RunControl> = z.object({
  command: z.enum(['run', 'pause', 'stopAndKeep', 'cancel']),
});

/** Checks `process.json`. */
export const workerProcess: z.ZodMiniType<WorkerProcess> = z.object({
  pid: z.int().check(z.minimum(1)),
  started: seconds,
});

/** Checks a device's claim. */
export const deviceClaim: z.ZodMiniType<DeviceClaim> = z.object({
  version: z.literal(version),
  id: runId,
  title,
  engine: z.enum(engineChoices),
  folder: path,
  machine: z.string().check(z.maxLength(1000)),
  window: z.string().check(z.maxLength(1000)),
  host: z.int().check(z.minimum(1)),
  since: moment,
  worker: z.exactOptional(workerProcess),
});

const failure = { message: z.string(), remedy: z.string() };
/** A side of a matrix, and of its picture. */
const side = z.int().check(z.minimum(1), z.maximum(2 ** 31));
const pictureSide = z.int().check(z.minimum(1), z.maximum(4096));
const picture = {
  name: z.string(),
  group: z.enum(['width', 'depth']),
  shape: z.tuple([side, side]),
  rows: pictureSide,
  columns: pictureSide,
};
const pooled = z.object({
  ...picture,
  // Checking each of a million cells would hold the host up; whoever draws them takes numbers alone.
  values: z.custom<(number | null)[]>(value => Array.isArray(value)),
});
const packed = z.object({ ...picture, limit: z.number(), packed: z.string() });
const time = { time: z.number() };
const run = { method: z.string().check(z.maxLength(1000)), seed: z.int() };

/** Checks a line of `events.jsonl` as far as the host reads it. */
export const runEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('plan'), plan: growthPlan, ...time }),
  z.object({
    type: z.literal('device'),
    engine: z.string(),
    device: z.string(),
    reason: z.optional(z.string()),
    ...time,
  }),
  z.object({
    type: z.literal('usage'),
    residentBytes: z.number().check(z.nonnegative()),
    device: z.optional(
      z.object({
        usedBytes: z.exactOptional(z.number()),
        totalBytes: z.exactOptional(z.number()),
        utilization: z.exactOptional(z.number()),
      }),
    ),
    ...time,
  }),
  z.object({
    type: z.literal('step'),
    step: updates,
    steps: updates,
    // JSON has no NaN: a loss that is no number comes as null.
    loss: z.nullable(z.number()),
    seconds,
    tokensPerSecond: z.nullable(z.number()),
    ...time,
  }),
  z.object({
    type: z.literal('operators'),
    step: updates,
    operators: z.array(z.union([pooled, packed])),
    omitted: z.exactOptional(updates),
    final: z.exactOptional(z.boolean()),
    ...time,
  }),
  z.object({
    type: z.literal('evaluation'),
    model: z.string(),
    step: updates,
    ...scores,
    ...time,
  }),
  z.object({ type: z.literal('warning'), ...failure, ...time }),
  z.object({ type: z.literal('saved'), step: updates, path: z.string(), ...time }),
  z.object({
    type: z.literal('done'),
    out: z.string(),
    // A run is done whether its receipt can be shown or not.
    receipt: z.catch(z.optional(growthReceipt), undefined),
    models: z.catch(z.optional(z.array(keptModel).check(z.maxLength(mostModels))), undefined),
    ...time,
  }),
  z.object({
    type: z.literal('failed'),
    ...failure,
    interrupted: z.optional(z.boolean()),
    ...time,
  }),
  z.object({
    type: z.literal('comparison'),
    ...run,
    phase: z.enum(['growth', 'training']),
    step: updates,
    steps: updates,
    loss: z.nullable(z.number()),
    flops: z.number(),
    seconds,
    ...time,
  }),
  z.object({
    type: z.literal('comparisonStep'),
    ...run,
    step: updates,
    steps: updates,
    seconds,
    ...time,
  }),
  z.object({
    type: z.literal('comparisonRun'),
    ...run,
    state: z.enum(['started', 'finished', 'failed']),
    ended: updates,
    runs: updates,
    smallLoss: z.exactOptional(z.nullable(z.number())),
    lossUnit: z.exactOptional(z.enum(lossUnits)),
    message: z.exactOptional(z.string()),
    ...time,
  }),
]);

/** An event as the host reads it. */
export type CheckedEvent = z.infer<typeof runEvent>;

const id = z.string().check(z.maxLength(100));
const command = z.enum(['run', 'pause', 'stopAndKeep', 'cancel']);
const ready = z.object({ type: z.literal('ready') });
const grow = z.object({ type: z.literal('grow') });

/** Checks what the progress view sends. */
export const fromProgress: z.ZodMiniType<FromProgress> = z.discriminatedUnion('type', [
  ready,
  grow,
  z.object({ type: z.literal('control'), run: id, command }),
  z.object({ type: z.literal('openRun'), run: id }),
  z.object({ type: z.literal('openLog'), run: id }),
  z.object({ type: z.literal('resumeRun'), run: id }),
  z.object({ type: z.literal('revealOutput'), run: id }),
  z.object({ type: z.literal('openReport'), run: id }),
  z.object({ type: z.literal('compare') }),
]);

/** Checks what a run panel sends. */
export const fromRunPanel: z.ZodMiniType<FromRunPanel> = z.discriminatedUnion('type', [
  ready,
  z.object({ type: z.literal('control'), command }),
  z.object({ type: z.literal('openReport') }),
  z.object({ type: z.literal('revealOutput') }),
  z.object({ type: z.literal('whatNext') }),
  z.object({ type: z.literal('history') }),
  z.object({ type: z.literal('exactOperator'), name: z.string().check(z.maxLength(1000)) }),
  z.object({
    type: z.literal('export'),
    format: z.enum(['png', 'svg', 'csv']),
    name: z.string().check(z.maxLength(300)),
    content: z.string(),
  }),
]);

/** Checks what an inspector sends. */
export const fromInspector: z.ZodMiniType<FromInspector> = z.discriminatedUnion('type', [
  ready,
  grow,
  z.object({ type: z.literal('statistics'), name: z.string().check(z.maxLength(10_000)) }),
]);
