import * as z from 'zod/mini';
import { count } from './fieldSchemas';

/** Sizes of a model by the names of options, plans and receipts. */
export const modelSizes = z.object({
  layers: count,
  hidden: count,
  heads: count,
  /** Heads that have keys and values, in families whose heads may share them. */
  kvHeads: z.exactOptional(count),
  /** Units of a head, in families that name it; heads divide the hidden units where absent. */
  headSize: z.exactOptional(count),
  ffn: count,
});

/** A model as plans, receipts and reports give it. */
export const modelSummary = z.object({
  family: z.string(),
  modelClass: z.string(),
  ...modelSizes.shape,
  /** What it is trained to do, in words; older receipts and logs do not say. */
  learns: z.exactOptional(z.string()),
  parameters: count,
});

/** A model, and where it lies. */
export const sourceModel = z.object({
  ...modelSummary.shape,
  path: z.string(),
  /** Of its files. */
  sha256: z.string(),
});
