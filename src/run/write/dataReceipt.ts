import type { LineSeparator } from '../../data/textSource';
import type { OpenData } from '../open/openData';

/** What receipts say of the data: what it was, and how it was cut into batches. */
export interface DataReceipt {
  /** As the person gave it. */
  readonly path: string;
  readonly data: Pick<OpenData, 'batches' | 'shape'>;
  readonly separator: LineSeparator | undefined;
  readonly separatorNote: string | undefined;
}

/** The part of a receipt that tells of the data. */
export const dataReceipt = ({
  path,
  data: { batches, shape },
  separator,
  separatorNote,
}: DataReceipt) => ({
  path,
  ...batches.description,
  ...(separatorNote !== undefined && { separator: separatorNote }),
  batches: {
    size: shape.batchSize,
    ...(batches.unit !== 'images' && { sequenceLength: shape.sequenceLength }),
    heldOut: batches.evaluationBatches,
    ...(separator !== undefined && { lineSeparator: separator }),
  },
});
