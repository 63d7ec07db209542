/** What comparisons write down. */
import * as z from 'zod/mini';
import { amount, count, note } from './fieldSchemas';
import { modelSummary, sourceModel } from './modelSchemas';

const optional = z.exactOptional;

/** Held-out scores; what is no number is none of a comparison's. */
const scores = z.object({
  loss: z.number(),
  accuracy: optional(z.number()),
  perplexity: optional(z.number()),
  batches: count,
});

/** Names a run of a comparison. */
const named = { method: z.string(), seed: count };

/**
 * One point of a method's curve; what was spent includes the growth. Its fields stand in the order in
 * which runs are made, so that what was read back is written as what was not.
 */
export const methodPoint = z.object({
  /** Updates of the large model. */
  step: count,
  ...scores.shape,
  /** Floating-point operations spent so far; evaluations are not counted. */
  flops: amount,
  /** `flops` by the convention of the paper. */
  paperFlops: amount,
  /** Seconds spent in steps so far; evaluations are not counted. */
  seconds: amount,
});

/** What the growth of a run told, before the training of its large model. */
export const grownRun = z.object({
  /** Of the small model, on the same held-out data. */
  small: scores,
  /** Grown against small logits on one held-out batch. */
  parity: optional(z.object({ relativeError: amount, agreement: optional(amount) })),
  growth: z.object({
    /** Updates of the operators; 0 for methods that learn nothing. */
    steps: count,
    flops: amount,
    paperFlops: amount,
    /** Learning, and making the weights. */
    seconds: amount,
  }),
  warnings: z.array(z.string()),
});

/** One method with one seed, to the end of its training. */
export const finishedRun = z.object({
  state: z.literal('finished'),
  ...named,
  ...grownRun.shape,
  /** The first point is the grown model before any training of its own. */
  curve: z.array(methodPoint).check(z.minLength(1)),
  /** SHA-256 of what the run was given: its training batches in order, and the held-out batches. */
  fed: z.object({ training: z.string(), evaluation: z.string() }),
});

/** A run that could not be made, with why. */
export const failedRun = z.object({ state: z.literal('failed'), ...named, ...note.shape });

export const comparisonRun = z.discriminatedUnion('state', [finishedRun, failedRun]);

/** Mean over seeds with the smallest and the largest. */
export const spread = z.object({ mean: z.number(), least: z.number(), most: z.number() });

/** 1 − method / scratch, each to the first reach of the scratch run's final held-out loss. */
export const savings = z.object({
  flops: z.number(),
  paperFlops: z.number(),
  seconds: z.number(),
  /** FLOPs again, with the small model's own training counted as the method's; absent when unknown. */
  flopsWithSmall: optional(z.number()),
});

/** What one seed of a method saved. */
export const seedSavings = z.object({
  seed: count,
  /** Held-out loss that the scratch run of the same seed ended with. */
  target: z.number(),
  /** Absent when the run never reached the target. */
  savings: optional(savings),
  /** Training steps to the target, interpolated between evaluations. */
  steps: optional(amount),
});

/** A method over all its seeds. */
export const methodSummary = z.object({
  method: z.string(),
  title: z.string(),
  does: z.string(),
  source: z.string(),
  seeds: z.array(seedSavings),
  /** Of the seeds that finished. */
  finished: count,
  /** Of those, how many reached the target; `savings` are the mean over all of them or absent. */
  reached: count,
  savings: optional(
    z.object({
      flops: spread,
      paperFlops: spread,
      seconds: spread,
      flopsWithSmall: optional(spread),
    }),
  ),
  /** Held-out loss before training; absent when no seed finished. */
  start: optional(spread),
  /** Held-out loss after training; absent when no seed finished. */
  end: optional(spread),
  /** ‖grown − small‖ / ‖small‖ over logits. */
  parity: optional(spread),
  growthSeconds: optional(spread),
  failures: z.array(failedRun),
});

/** Which trained models a comparison leaves beside its report. */
export const keep = z.enum(['winner', 'all', 'none']);

/** A trained model that lies beside a report. */
export const keptModel = z.object({
  ...named,
  /** In the folder of the report, and nowhere else. */
  folder: z.string().check(z.regex(/^[a-z0-9-]{1,100}$/)),
  /** Held-out, that its training ended with. */
  loss: z.number(),
});

const settings = z.record(z.string(), z.unknown());

/** report.json: everything that the comparison measured, and how. */
export const comparisonReport = z.object({
  version: z.literal(1),
  software: z.object({ name: z.string(), version: z.string() }),
  created: z.string(),
  /** SHA-256 of what was found, without times, paths and the machine; absent in reports of before. */
  digest: optional(z.string()),
  /** A command line that repeats it; absent when it was not started by one. */
  command: optional(z.string()),
  source: sourceModel,
  target: modelSummary,
  data: z.object({
    path: z.string(),
    sha256: z.string(),
    heldOut: z.string(),
    unit: z.enum(['tokens', 'images', 'texts']),
    batchSize: count,
    sequenceLength: count,
    evaluationBatches: count,
    /** What was put between lines of text. */
    separator: optional(z.string()),
  }),
  settings: z.object({
    steps: count,
    evaluateEvery: count,
    seeds: z.array(count),
    training: settings,
    /** Settings of learning, by method; none for methods that learn nothing. */
    growth: z.record(z.string(), settings),
  }),
  machine: z.object({
    engine: z.object({ name: z.string(), device: z.string() }),
    processor: z.string(),
    cores: count,
    /** Runs that computed at the same time, which their seconds show. */
    parallel: count,
  }),
  /** The small model's own training; absent when nobody said what it was. */
  smallTraining: optional(
    z.object({
      steps: count,
      batchSize: optional(count),
      /** Exact. */
      flops: amount,
      /** Who said so: "the options", or the file that does. */
      from: z.string(),
    }),
  ),
  /** FLOPs of one step of the large model. */
  flopsPerStep: z.object({ exact: amount, paper: amount }),
  /** Held-out scores of the small model; absent when no run finished. */
  small: optional(scores),
  runs: z.array(comparisonRun),
  /** Trained models beside the report, the winner's first; absent where none are kept. */
  models: optional(z.array(keptModel)),
  /** Largest saving of FLOPs first; then those that never reached the target, best end first. */
  methods: z.array(methodSummary),
  /** True when all methods of each seed were given the same batches in the same order. */
  sameBatches: z.boolean(),
  /** What a reader must know before believing the savings. */
  notes: z.array(note),
});
