import * as z from 'zod/mini';
import type { ComparisonReport } from '../../protocol/comparison';
import { readOwnText } from '../../files';
import { batchShape } from '../open/data';
import { prepareStages } from '../train/trainingStages';
import type { Comparison } from './open';

/** Bytes of such a receipt at most: its curve has a few hundred a point. */
const largestReceipt = 64 * 1024 * 1024;

/** What is read of the receipt that `ligo train` leaves beside a checkpoint. */
const trainingReceipt = z.object({ steps: z.int(), flops: z.object({ total: z.number() }) });

/**
 * What the small model's own training cost: by the options, which name steps and batch, or by the
 * receipt beside it; undefined where neither tells. A receipt that is no such receipt tells nothing.
 */
export async function smallTrainingOf({
  request,
  model,
  growth,
  data,
}: Comparison): Promise<ComparisonReport['smallTraining']> {
  if (request.smallTraining) {
    const { steps, batchSize = data.shape.batchSize } = request.smallTraining;
    const shape = batchShape(growth.source, { ...request.data, batchSize });
    const [whole] = prepareStages(growth.source, request.training, shape);
    return { steps, batchSize, flops: steps * whole!.flopsPerStep, from: 'the options' };
  }
  const { directory } = model.checkpoint;
  const text = await readOwnText(directory, 'training.json', largestReceipt);
  if (text === undefined) return undefined;
  try {
    const parsed = trainingReceipt.safeParse(JSON.parse(text));
    if (!parsed.success) return undefined;
    const { steps, flops } = parsed.data;
    return { steps, flops: flops.total, from: 'training.json beside the small model' };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
