import { join } from 'node:path';
import * as z from 'zod/mini';
import { CorruptFileError } from '../../errors';
import { readOwnText } from '../../files';
import { batches } from '../../protocol/receiptSchemas';

const positive = z.number().check(z.positive());
const atLeastZero = z.number().check(z.nonnegative());
const count = z.int().check(z.positive());
const countOrNone = z.int().check(z.nonnegative());
const share = z.number().check(z.nonnegative(), z.lt(1));
const scores = z.object({ loss: z.nullable(z.number()) });

const data = z.object({
  path: z.string(),
  sha256: z.string(),
  batches: z.optional(batches),
});

/** What is read here of growth.json. */
const growth = z.object({
  seed: countOrNone,
  data: z.optional(data),
  losses: z.optional(z.object({ after: scores, float32: z.optional(scores) })),
});

/** What is read here of training.json. */
const training = z.object({
  seed: countOrNone,
  data,
  after: scores,
  engine: z.optional(z.object({ precision: z.optional(z.string()) })),
  settings: z.object({
    steps: count,
    learningRate: positive,
    weightDecay: atLeastZero,
    schedule: z.enum(['constant', 'linear', 'cosine']),
    warmup: countOrNone,
    betas: z.tuple([share, share]),
    epsilon: positive,
    clipNorm: positive,
    accumulate: z.optional(count),
    recompute: z.optional(z.boolean()),
    tokenDrop: z.optional(z.number()),
    layerDrop: z.optional(z.number()),
    subNetwork: z.optional(z.unknown()),
  }),
});

/** Receipts beside a checkpoint, where they are. */
export interface Receipts {
  readonly growth?: z.infer<typeof growth> | undefined;
  readonly training?: z.infer<typeof training> | undefined;
}

/** Bytes of a receipt at most; real ones have a few thousand. */
const largestReceipt = 16 * 1024 * 1024;

async function readReceipt<T extends z.ZodMiniType>(
  folder: string,
  name: string,
  schema: T,
): Promise<z.infer<T> | undefined> {
  const text = await readOwnText(folder, name, largestReceipt);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CorruptFileError(
      `${join(folder, name)} is not a receipt as this software writes them.`,
      'Remove the file, and say by options how to train.',
      { cause },
    );
  }
}

/** Reads what growing and training have left beside a checkpoint. @throws UserError */
export const readReceipts = async (folder: string): Promise<Receipts> => ({
  growth: await readReceipt(folder, 'growth.json', growth),
  training: await readReceipt(folder, 'training.json', training),
});

/** What the latest receipt says of the data, and what the checkpoint scored. */
export function latest({ growth: grown, training: trained }: Receipts) {
  if (trained) {
    return { from: 'training.json', seed: trained.seed, data: trained.data, scores: trained.after };
  }
  if (!grown) return undefined;
  const scored = grown.losses?.float32 ?? grown.losses?.after;
  return { from: 'growth.json', seed: grown.seed, data: grown.data, scores: scored };
}
