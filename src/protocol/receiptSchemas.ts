/** Plans and receipts. */
import * as z from 'zod/mini';
import { ggufTypes } from './conversion';
import { evaluation } from './evaluationSchemas';
import { measured, note } from './fieldSchemas';
import { modelSummary, sourceModel } from './modelSchemas';

const text = z.string();
const texts = z.array(text);
const shares = z.record(text, measured);
const settings = z.record(text, z.unknown());

/** How data is cut into batches. */
export const batches = z.object({
  /** Sequences, images or texts. */
  size: z.number(),
  /** Tokens; absent for images. */
  sequenceLength: z.exactOptional(z.number()),
  /** Batches that held-out scores are of. */
  heldOut: z.number(),
  /** What stands between lines of text: text, nothing, or tokens. */
  lineSeparator: z.exactOptional(
    z.union([z.enum(['newline', 'none']), z.readonly(z.array(z.number()))]),
  ),
});

/** What a growth would do and cost, known before anything runs. */
export const growthPlan = z.object({
  source: modelSummary,
  target: modelSummary,
  operators: z.object({ count: z.number(), width: z.number(), depth: z.number() }),
  refusals: z.array(z.object({ reason: text, remedy: text })),
  /** Tensors of the source that are left out, each with why. */
  ignored: z.array(z.object({ name: text, reason: text })),
  /** What a person should know of the source before it is grown; older logs have none. */
  notes: z.exactOptional(z.array(note)),
  /** Absent when the growth is refused, or when the model cannot be trained as it is. */
  cost: z.exactOptional(
    z.object({
      steps: z.number(),
      /** Floating-point operations of one step, exact for matrix products. */
      flopsPerStep: measured,
      flops: measured,
      /** Estimated most bytes alive in one step, weights included. */
      peakBytes: measured,
      /** Of these, the small model's weights; older logs do not say. */
      frozenBytes: z.exactOptional(measured),
      /** Of these, operators and their moments; older logs do not say. */
      stateBytes: z.exactOptional(measured),
      /** Estimated bytes of both models' weights while the large one is scored; older logs do not say. */
      scoredBytes: z.exactOptional(measured),
      /** Estimated most bytes that a process takes which computes in main memory. */
      processBytes: z.exactOptional(measured),
      batchSize: z.number(),
      sequenceLength: z.number(),
    }),
  ),
  /** Bytes the grown checkpoint takes on disk. */
  diskBytes: measured,
});

const software = z.object({ name: text, version: text });
/** A moment as text. */
const created = text.check(z.refine(value => Number.isFinite(Date.parse(value))));
/** Tokenizer, preprocessor and their like, copied when the run started. */
const companions = z.array(z.object({ name: text, sha256: text }));

/** What was learned from. */
const receiptData = z.object({
  path: text,
  files: z.array(z.object({ name: text, bytes: z.number() })),
  sha256: text,
  hashed: z.enum(['contents', 'sampled']),
  heldOut: text,
  /** What was put between lines of text. */
  separator: z.exactOptional(text),
  /** How it was cut; older receipts do not say. */
  batches: z.exactOptional(batches),
});

/** What computed. */
const receiptEngine = z.object({
  name: text,
  device: text,
  /** `mixed`: matrix products computed in float16. */
  precision: z.exactOptional(z.enum(['float32', 'mixed'])),
});

/** What an optimizer went on with. */
const optimizerState = z.object({ updates: z.number(), sha256: text });

/** The same model as a GGUF file beside its safetensors. */
export const ggufReceipt = z.object({
  file: text,
  outtype: z.enum(ggufTypes),
  bytes: z.number(),
  sha256: text,
});

/** growth.json: what happened, beside every grown checkpoint. Nothing in it was not measured. */
export const growthReceipt = z.object({
  software,
  created,
  source: z.object({ ...sourceModel.shape, files: texts, companions }),
  target: modelSummary,
  targetConfig: settings,
  /** Tensors of the source that are no part of the model and were left out. */
  dropped: z.exactOptional(texts),
  method: z.object({ name: text, settings }),
  seed: z.number(),
  steps: z.number(),
  data: z.exactOptional(receiptData),
  engine: z.exactOptional(receiptEngine),
  /** What AdamW knew of the source's gradients, grown with its weights; absent where it begins anew. */
  optimizerState: z.exactOptional(optimizerState),
  gguf: z.exactOptional(ggufReceipt),
  losses: z.exactOptional(
    z.object({
      small: evaluation,
      /** The grown model before its operators were trained; absent for methods that learn nothing. */
      before: z.exactOptional(evaluation),
      after: evaluation,
      /** The grown model with its products in float32, where they were computed in float16. */
      float32: z.exactOptional(evaluation),
      /** What predicting every target by its frequency alone scores on the same held-out targets. */
      frequencies: measured,
    }),
  ),
  /** Grown against small logits on one held-out batch. */
  parity: z.exactOptional(
    z.object({
      /** ‖grown − small‖ / ‖small‖ */
      relativeError: measured,
      /** Share of predictions that are the same; absent where numbers are predicted. */
      agreement: z.exactOptional(measured),
    }),
  ),
  drift: z.exactOptional(z.object({ groups: shares, operators: shares })),
  flops: z.exactOptional(z.object({ perStep: measured, total: measured })),
  seconds: z.exactOptional(measured),
  /** After which updates learning was stopped and gone on with; absent when it never was. */
  resumedAfter: z.exactOptional(z.array(z.number())),
  warnings: texts,
});

/** training.json, beside every checkpoint that was trained on: what a run tells of it. */
export const trainingReceipt = z.object({
  software,
  created,
  source: z.object({ path: text, sha256: text, companions }),
  settings,
  /** What was learned, in words. */
  objective: text,
  /** True when the weights of the source were not used, only its sizes. */
  fromScratch: z.boolean(),
  /** Updates made. */
  steps: z.number(),
  seed: z.number(),
  data: receiptData,
  engine: receiptEngine,
  /** What the optimizer went on with; absent where it began anew. */
  optimizerState: z.exactOptional(optimizerState),
  gguf: z.exactOptional(ggufReceipt),
  before: evaluation,
  after: evaluation,
  flops: z.object({ perStep: measured, total: measured }),
  seconds: measured,
  /** After which updates it was stopped and gone on with; absent when it never was. */
  resumedAfter: z.exactOptional(z.array(z.number())),
  warnings: texts,
});

const { source, method } = growthReceipt.shape;

/** A receipt as logs have it: those of earlier versions tell less. */
export const loggedReceipt = z.object({
  ...growthReceipt.shape,
  source: z.object({
    ...source.shape,
    files: z.exactOptional(source.shape.files),
    companions: z.exactOptional(source.shape.companions),
  }),
  targetConfig: z.exactOptional(settings),
  method: z.object({ ...method.shape, settings: z.exactOptional(settings) }),
});
