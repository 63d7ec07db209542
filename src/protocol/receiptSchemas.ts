/** Checks of plans and receipts as far as pages and lists read them. */
import * as z from 'zod/mini';
import type { GrowthPlan, Receipt } from './events';

/** JSON has no NaN: what is no finite number comes as null. */
const measured = z.pipe(
  z.nullable(z.number()),
  z.transform(value => value ?? NaN),
);

const text = z.string();
const texts = z.array(text);
const note = z.looseObject({ message: text, remedy: text });

const modelSummary = z.looseObject({
  family: text,
  modelClass: text,
  layers: z.number(),
  hidden: z.number(),
  heads: z.number(),
  kvHeads: z.exactOptional(z.number()),
  headSize: z.exactOptional(z.number()),
  ffn: z.number(),
  learns: z.exactOptional(text),
  parameters: z.number(),
});

/** Held-out scores. */
export const scores = {
  loss: measured,
  accuracy: z.exactOptional(measured),
  perplexity: z.exactOptional(measured),
  batches: measured,
};

/** Checks the plan of a `plan` event. */
export const growthPlan = z.looseObject({
  source: modelSummary,
  target: modelSummary,
  operators: z.looseObject({ count: z.number(), width: z.number(), depth: z.number() }),
  refusals: z.array(z.looseObject({ reason: text, remedy: text })),
  ignored: z.array(z.looseObject({ name: text, reason: text })),
  notes: z.exactOptional(z.array(note)),
  cost: z.exactOptional(
    z.looseObject({
      steps: z.number(),
      flopsPerStep: measured,
      flops: measured,
      peakBytes: measured,
      frozenBytes: z.exactOptional(measured),
      stateBytes: z.exactOptional(measured),
      processBytes: z.exactOptional(measured),
      batchSize: z.number(),
      sequenceLength: z.number(),
    }),
  ),
  diskBytes: measured,
}) as unknown as z.ZodMiniType<GrowthPlan>;

const evaluation = z.looseObject(scores);
const shares = z.record(text, measured);

/** Checks `growth.json` and the receipt of a `done` event. */
export const growthReceipt = z.looseObject({
  software: z.looseObject({ name: text, version: text }),
  created: text.check(z.refine(value => Number.isFinite(Date.parse(value)))),
  source: z.looseObject({ ...modelSummary.shape, path: text, sha256: text }),
  target: modelSummary,
  method: z.looseObject({ name: text }),
  seed: z.number(),
  steps: z.number(),
  data: z.exactOptional(
    z.looseObject({
      path: text,
      files: z.array(z.looseObject({ name: text, bytes: z.number() })),
      sha256: text,
      hashed: text,
      heldOut: text,
    }),
  ),
  engine: z.exactOptional(z.looseObject({ name: text, device: text })),
  losses: z.exactOptional(
    z.looseObject({
      small: evaluation,
      before: z.exactOptional(evaluation),
      after: evaluation,
      float32: z.exactOptional(evaluation),
      frequencies: measured,
    }),
  ),
  parity: z.exactOptional(
    z.looseObject({ relativeError: measured, agreement: z.exactOptional(measured) }),
  ),
  drift: z.exactOptional(z.looseObject({ groups: shares, operators: shares })),
  flops: z.exactOptional(z.looseObject({ perStep: measured, total: measured })),
  seconds: z.exactOptional(measured),
  warnings: texts,
}) as unknown as z.ZodMiniType<Receipt>;
