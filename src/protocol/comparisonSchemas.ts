/** Runtime checks of comparison files; apart from the types, so that pages do not bundle them. */
import * as z from 'zod/mini';
import type { ComparisonReport, ComparisonRun, GrownRun, KeptModel } from './comparison';

const amount = z.number().check(z.nonnegative());
const count = z.int().check(z.nonnegative());
const optional = z.exactOptional;
const evaluation = {
  loss: z.number(),
  accuracy: optional(z.number()),
  perplexity: optional(z.number()),
  batches: count,
};

// In the order in which runs are made, so that what was read back is written as what was not.
const point = z.object({
  step: count,
  ...evaluation,
  flops: amount,
  paperFlops: amount,
  seconds: amount,
});

const grown = {
  small: z.object(evaluation),
  parity: optional(z.object({ relativeError: amount, agreement: optional(amount) })),
  growth: z.object({ steps: count, flops: amount, paperFlops: amount, seconds: amount }),
  warnings: z.array(z.string()),
};

/** Checks what the growth of a run has told, with which it can go on training. */
export const grownRun: z.ZodMiniType<GrownRun> = z.object(grown);

const finished = z.object({
  state: z.literal('finished'),
  method: z.string(),
  seed: count,
  ...grown,
  curve: z.array(point).check(z.minLength(1)),
  fed: z.object({ training: z.string(), evaluation: z.string() }),
});

const failed = z.object({
  state: z.literal('failed'),
  method: z.string(),
  seed: count,
  message: z.string(),
  remedy: z.string(),
});

/** Checks one run of a comparison. */
export const comparisonRun: z.ZodMiniType<ComparisonRun> = z.discriminatedUnion('state', [
  finished,
  failed,
]);

const spread = z.object({ mean: z.number(), least: z.number(), most: z.number() });
const savings = {
  flops: z.number(),
  paperFlops: z.number(),
  seconds: z.number(),
  flopsWithSmall: optional(z.number()),
};
const model = {
  family: z.string(),
  modelClass: z.string(),
  layers: count,
  hidden: count,
  heads: count,
  kvHeads: optional(count),
  headSize: optional(count),
  ffn: count,
  learns: optional(z.string()),
  parameters: count,
};
const settings = z.record(z.string(), z.unknown());

/** Checks where a trained model lies: a folder beside the report and nowhere else. */
export const keptModel: z.ZodMiniType<KeptModel> = z.object({
  method: z.string(),
  seed: count,
  folder: z.string().check(z.regex(/^[a-z0-9-]{1,100}$/)),
  loss: z.number(),
});

/** Checks `report.json`. */
export const comparisonReport: z.ZodMiniType<ComparisonReport> = z.object({
  version: z.literal(1),
  software: z.object({ name: z.string(), version: z.string() }),
  created: z.string(),
  digest: optional(z.string()),
  command: optional(z.string()),
  source: z.object({ ...model, path: z.string(), sha256: z.string() }),
  target: z.object(model),
  data: z.object({
    path: z.string(),
    sha256: z.string(),
    heldOut: z.string(),
    unit: z.enum(['tokens', 'images', 'texts']),
    batchSize: count,
    sequenceLength: count,
    evaluationBatches: count,
    separator: optional(z.string()),
  }),
  settings: z.object({
    steps: count,
    evaluateEvery: count,
    seeds: z.array(count),
    training: settings,
    growth: z.record(z.string(), settings),
  }),
  machine: z.object({
    engine: z.object({ name: z.string(), device: z.string() }),
    processor: z.string(),
    cores: count,
    parallel: count,
  }),
  smallTraining: optional(
    z.object({ steps: count, batchSize: optional(count), flops: amount, from: z.string() }),
  ),
  flopsPerStep: z.object({ exact: amount, paper: amount }),
  small: optional(z.object(evaluation)),
  runs: z.array(comparisonRun),
  models: optional(z.array(keptModel)),
  methods: z.array(
    z.object({
      method: z.string(),
      title: z.string(),
      does: z.string(),
      source: z.string(),
      seeds: z.array(
        z.object({
          seed: count,
          target: z.number(),
          savings: optional(z.object(savings)),
          steps: optional(amount),
        }),
      ),
      finished: count,
      reached: count,
      savings: optional(
        z.object({
          flops: spread,
          paperFlops: spread,
          seconds: spread,
          flopsWithSmall: optional(spread),
        }),
      ),
      start: optional(spread),
      end: optional(spread),
      parity: optional(spread),
      growthSeconds: optional(spread),
      failures: z.array(failed),
    }),
  ),
  sameBatches: z.boolean(),
  notes: z.array(z.object({ message: z.string(), remedy: z.string() })),
});
