/** What a run tells, as the lines of its log and as it tells them. */
import * as z from 'zod/mini';
import { keptModel } from './comparisonSchemas';
import { evaluatedModel, evaluation, lossUnit } from './evaluationSchemas';
import { amount, measured, note, updates } from './fieldSchemas';
import { growthPlan, growthReceipt, loggedReceipt, trainingReceipt } from './receiptSchemas';

/** Milliseconds since the epoch. */
const time = z.number();
/** A side of a matrix, and of its picture. */
const side = z.int().check(z.minimum(1), z.maximum(2 ** 31));
const pictureSide = z.int().check(z.minimum(1), z.maximum(4096));
/** Trained models that a comparison keeps, at most: one a run. */
const mostModels = 10_000;

const picture = {
  name: z.string(),
  group: z.enum(['width', 'depth']),
  shape: z.tuple([side, side]),
  rows: pictureSide,
  columns: pictureSide,
};

/** A matrix made small enough for a picture: each cell is the element of largest magnitude. */
export const pooledMatrix = z.object({
  ...picture,
  /** rows × columns, row-major. */
  values: z.array(z.number()),
});

/** As a line of a log has it. */
const loggedMatrix = z.object({
  ...picture,
  /**
   * What is not finite is null. Checking each of a million cells would hold the host up: whoever draws
   * them takes numbers alone.
   */
  values: z.custom<readonly unknown[]>(value => Array.isArray(value)),
});

/**
 * A pooled matrix as the history in a log has it: whole numbers of 16 bits, little-endian, as base64, a
 * quarter of what the numbers take as text. A cell is `limit` times its number ÷ 32767; −32768 stands
 * for what is not finite.
 */
export const packedMatrix = z.object({
  ...picture,
  /** Largest finite magnitude. */
  limit: z.number(),
  packed: z.string(),
});

/** What a run takes of the machine at one moment. What the platform does not tell is absent. */
export const usage = z.object({
  /** Main memory of the process. */
  residentBytes: amount,
  /** Of the graphics device that computes, all programs together. */
  device: z.exactOptional(
    z.object({
      usedBytes: z.exactOptional(z.number()),
      totalBytes: z.exactOptional(z.number()),
      /** Share of time it computed lately, 0…1. */
      utilization: z.exactOptional(z.number()),
    }),
  ),
});

/** Which run of a comparison an event is about. */
const compared = { method: z.string().check(z.maxLength(1000)), seed: z.int() };

/** What is the same in a log as it is told. */
const plainEvents = [
  z.object({ type: z.literal('plan'), plan: growthPlan, time }),
  z.object({
    type: z.literal('device'),
    engine: z.string(),
    device: z.string(),
    /** Why this engine, on one line. */
    reason: z.exactOptional(z.string()),
    time,
  }),
  z.object({ type: z.literal('usage'), ...usage.shape, time }),
  z.object({ type: z.literal('warning'), ...note.shape, time }),
  z.object({ type: z.literal('saved'), step: updates, path: z.string(), time }),
  z.object({
    type: z.literal('failed'),
    ...note.shape,
    /** A person or the system asked it to stop; it did not go wrong. */
    interrupted: z.exactOptional(z.boolean()),
    time,
  }),
  z.object({
    type: z.literal('comparison'),
    ...compared,
    phase: z.enum(['growth', 'training']),
    /** Updates in this phase. */
    step: updates,
    steps: updates,
    /** Held-out loss while training; while growing, that of the step's batch. */
    loss: measured,
    /** Spent since the growth began. */
    flops: z.number(),
    /** Spent since the growth began. */
    seconds: amount,
    time,
  }),
  z.object({
    /** How far a training has come since it was evaluated: twice a second at most. */
    type: z.literal('comparisonStep'),
    ...compared,
    /** Updates of the large model. */
    step: updates,
    steps: updates,
    /** Spent since the growth began. */
    seconds: amount,
    time,
  }),
  z.object({
    type: z.literal('comparisonRun'),
    ...compared,
    state: z.enum(['started', 'finished', 'failed']),
    /** Runs that ended so far, this one too if it did. */
    ended: updates,
    runs: updates,
    /** Held-out loss of the small model, once a run finished. */
    smallLoss: z.exactOptional(measured),
    lossUnit: z.exactOptional(lossUnit),
    /** Why it failed. */
    message: z.exactOptional(z.string()),
    time,
  }),
] as const;

/** As far as whoever follows a run reads it. */
const loggedStep = z.object({
  type: z.literal('step'),
  /** 1 for the first. */
  step: updates,
  steps: updates,
  /** On this step's batch, before the update. */
  loss: measured,
  seconds: amount,
  /** Tokens (or images, for vision models) a second. */
  tokensPerSecond: measured,
  /** Peak rates times the schedule, by parameter group. */
  learningRate: z.catch(z.optional(z.record(z.string(), measured)), undefined),
  time,
});

const loggedOperators = z.object({
  type: z.literal('operators'),
  step: updates,
  operators: z.array(z.union([loggedMatrix, packedMatrix])),
  /** Operators that found no place in the line. */
  omitted: z.exactOptional(updates),
  /** They will not change any more. */
  final: z.exactOptional(z.boolean()),
  time,
});

const loggedEvaluation = z.object({
  type: z.literal('evaluation'),
  /** Those of later versions have names that we do not know. */
  model: z.string(),
  step: updates,
  ...evaluation.shape,
  time,
});

const loggedEnd = z.object({
  type: z.literal('done'),
  out: z.string(),
  // A run is done whether its receipt can be shown or not.
  receipt: z.catch(z.optional(loggedReceipt), undefined),
  /** Of a training, in place of that of a growth. */
  training: z.catch(z.optional(trainingReceipt), undefined),
  /** Trained models that a comparison kept. */
  models: z.catch(z.optional(z.array(keptModel).check(z.maxLength(mostModels))), undefined),
  time,
});

/** A line of `events.jsonl`. */
export const loggedEvent = z.discriminatedUnion('type', [
  ...plainEvents,
  loggedStep,
  loggedOperators,
  loggedEvaluation,
  loggedEnd,
]);

/** What a run tells: all that is logged, and more than whoever follows it reads. */
export const runEvent = z.discriminatedUnion('type', [
  ...plainEvents,
  z.object({
    ...loggedStep.shape,
    phase: z.enum(['operators', 'training']),
    learningRate: z.record(z.string(), measured),
    gradientNorm: measured,
    flops: measured,
  }),
  z.object({
    type: z.literal('operators'),
    step: updates,
    operators: z.array(pooledMatrix),
    final: loggedOperators.shape.final,
    time,
  }),
  z.object({ ...loggedEvaluation.shape, model: evaluatedModel }),
  z.object({
    ...loggedEnd.shape,
    receipt: z.exactOptional(growthReceipt),
    training: z.exactOptional(trainingReceipt),
    /** Of what a comparison found, without times and machine. */
    digest: z.exactOptional(z.string()),
    models: z.exactOptional(z.array(keptModel)),
  }),
]);
