import type { Architecture } from '../../architecture';
import type { Batch } from '../../data/batches';
import { masking } from '../../data/languageBatches';
import type { TextFile } from '../../data/textSurvey';
import type { TokenizerDescription } from '../../data/tokenizer';
import { UnsupportedError } from '../../errors';
import type { MaskingFacts, ScoredSequence, TextFacts, TextFileFacts } from '../../handoff/facts';
import { by, smaller } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import type { DataOptions, OpenData } from '../open/openData';

/** Held-out tokens at most: each takes some five bytes as text. */
const mostTokens = 8 * 1024 * 1024;

/** What Python needs to read the same text, and the held-out sequences as they are scored here. */
export async function textFacts(
  architecture: Architecture,
  opened: {
    readonly path: string;
    readonly data: OpenData;
    readonly files: readonly TextFile[];
    readonly tokenizer: TokenizerDescription;
    readonly options: DataOptions;
    readonly signal: AbortSignal;
  },
): Promise<TextFacts> {
  const { path, data, files, tokenizer, options, signal } = opened;
  const { batches, shape } = data;
  const tokens = batches.evaluationBatches * batches.itemsPerBatch;
  if (tokens > mostTokens) {
    throw new UnsupportedError(
      `The held-out part is handed over as text, and ${tokens.toLocaleString('en')} tokens are more than the ${mostTokens.toLocaleString('en')} that are.`,
      advise`Score fewer of it${by('evalBatches')}, or choose ${smaller('batch')}.`,
    );
  }
  const masked = architecture.objective === 'masked-language-modeling';
  const scored: ScoredSequence[] = [];
  for (let index = 0; index < batches.evaluationBatches; index++) {
    signal.throwIfAborted();
    scored.push(...sequencesOf(await batches.evaluate(index), shape.sequenceLength, masked));
  }
  return {
    kind: 'text',
    path,
    heldOut: batches.description.heldOut,
    heldOutBatch: shape.batchSize,
    files: trainedFiles(files, batches.trainBytes ?? 0),
    sequenceLength: shape.sequenceLength,
    separator: options.separator ?? 'newline',
    ...(masked && { masked: maskingFacts(architecture, tokenizer) }),
    scored,
  };
}

/** The files of which something is trained on. */
function trainedFiles(files: readonly TextFile[], trainBytes: number): readonly TextFileFacts[] {
  let left = trainBytes;
  return files.flatMap(({ name, bytes, format }) => {
    const own = Math.min(bytes, left);
    left -= own;
    return own > 0 ? [{ name, bytes, trainBytes: own, records: format === 'records' }] : [];
  });
}

/** The sequences of a batch, with labels where only some of their tokens are asked for. */
function sequencesOf(batch: Batch, length: number, masked: boolean): ScoredSequence[] {
  const ids = batch['input_ids']!;
  const labels = new Int32Array(ids.length).fill(-100);
  for (const [row, position] of batch['positions']!.entries()) {
    if (batch['weights']![row] !== 0) labels[position] = batch['targets']![row]!;
  }
  return Array.from({ length: ids.length / length }, (_, row) => {
    const part = (values: Batch[string]): number[] => [
      ...values.subarray(row * length, (row + 1) * length),
    ];
    return { inputIds: part(ids), ...(masked && { labels: part(labels) }) };
  });
}

/** What is hidden of sequences, and how; only of tokens that the model knows. */
function maskingFacts(
  { spaceSizes }: Architecture,
  { special, specialIds, vocabularySize }: TokenizerDescription,
): MaskingFacts {
  const classes = spaceSizes.get('vocabulary') ?? 0;
  const known = (id: number | undefined): id is number => id !== undefined && id < classes;
  const { cls, sep, mask } = special;
  return {
    ...(known(cls) && known(sep) && { frame: [cls, sep] as const }),
    mask: mask!,
    special: [...specialIds].filter(known).sort((a, b) => a - b),
    vocabulary: Math.min(vocabularySize, classes),
    ...masking,
  };
}
