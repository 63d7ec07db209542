import { basename } from 'node:path';
import { UnsupportedError, UsageError, UserError, type Note } from '../errors';
import { counted } from '../format';
import { permutation, randomGenerator, randomStreams } from '../random';
import type { Batch, BatchSource } from './batches';
import { boundedCache } from './boundedCache';
import { epochs } from './epochs';
import { ignoredLabel, type LabelledText, type LabelledWords } from './labels';
import type { LabelledSource } from './labelledSource';
import { notesOnBoth } from './note';
import { requireShare, requireWhole } from './optionChecks';
import { cachedTokens } from './textSource';
import type { TextTokenizer } from './tokenizer';
import { describeFiles } from './unchanged';
import { by, larger } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** Labelled texts to learn from, and those to evaluate on where they are separate. */
export interface LabelledSets {
  readonly train: LabelledSource;
  readonly heldOut?: { readonly path: string; readonly source: LabelledSource } | undefined;
}

export interface LabelledBatchOptions {
  readonly sets: LabelledSets;
  readonly tokenizer: TextTokenizer;
  readonly batchSize: number;
  /** Tokens that every text is cut or padded to, special tokens included. */
  readonly sequenceLength: number;
  readonly seed: number;
  /** Which token the model reads of a text; 'all' where each has a label. */
  readonly reads: 'first' | 'last' | 'all';
  /** Fills texts up. */
  readonly paddingId: number;
  /** As many as show the held-out texts once, 16 at most, unless told. */
  readonly evaluationBatches?: number | undefined;
  /** Share of the texts that is held out; 0.05 unless told. */
  readonly heldOutFraction?: number | undefined;
}

const mostEvaluationBatches = 16;
/** Fewer held-out texts than this tell little: one of them is a percent or more. */
const fewHeldOut = 100;
/** Texts that are tokenised to say how many are cut. */
const measuredTexts = 256;

/** A text as the model reads it, without padding. */
interface Encoded {
  readonly ids: Int32Array;
  /** Of the text, or of each of `ids`. */
  readonly targets: readonly number[];
  readonly isCut: boolean;
}

/** Which records a part consists of. */
interface Part {
  readonly source: LabelledSource;
  readonly indices: Int32Array;
  readonly encode: (index: number) => Promise<Encoded>;
}

function checkSizes(options: LabelledBatchOptions): void {
  const { batchSize, evaluationBatches = 1, heldOutFraction = 0.05, tokenizer } = options;
  requireWhole('batch size', batchSize);
  requireWhole('number of evaluation batches', evaluationBatches);
  requireShare(heldOutFraction);
  const { before, after } = around(tokenizer);
  const least = before.length + after.length + 1;
  if (options.sequenceLength < least) {
    throw new UsageError(
      `A sequence of ${options.sequenceLength} tokens leaves no room for a text between ${tokenizer.around || 'nothing'}.`,
      `Give a sequence length of ${least} or more.`,
    );
  }
}

/** What transformers puts around every text. */
function around({
  aroundIds,
  around: text,
}: TextTokenizer): NonNullable<TextTokenizer['aroundIds']> {
  if (aroundIds) return aroundIds;
  throw new UnsupportedError(
    `The tokenizer frames every text as ${text}, but has no id for one of these tokens.`,
    'Take the tokenizer files of the original checkpoint.',
  );
}

/** Texts as the model reads them: framed, and cut at the end where they are too long. */
function encoder({ tokenizer, sequenceLength }: LabelledBatchOptions, source: LabelledSource) {
  const { before, after } = around(tokenizer);
  const room = sequenceLength - before.length - after.length;
  const cache = boundedCache<Encoded>(cachedTokens, ({ ids }) => 2 * ids.length + 16);

  const framed = (ids: ArrayLike<number>): Int32Array => {
    const kept = Math.min(ids.length, room);
    const whole = new Int32Array(before.length + kept + after.length);
    whole.set(before);
    for (let index = 0; index < kept; index++) whole[before.length + index] = ids[index]!;
    whole.set(after, before.length + kept);
    return whole;
  };

  async function ofText({ text, targets }: LabelledText): Promise<Encoded> {
    const ids = await tokenizer.encode(text);
    return { ids: framed(ids), targets, isCut: ids.length > room };
  }

  /** Each word by itself, as behind a space; its label belongs to its first token. */
  async function ofWords({ words, targets }: LabelledWords): Promise<Encoded> {
    const ids: number[] = [];
    const labels: number[] = [];
    for (const [number, word] of words.entries()) {
      if (ids.length > room) break;
      const pieces = await tokenizer.encode(` ${word}`);
      ids.push(...pieces);
      pieces.forEach((_, index) => labels.push(index === 0 ? targets[number]! : ignoredLabel));
    }
    const outside = (tokens: readonly number[]): number[] => tokens.map(() => ignoredLabel);
    return {
      ids: framed(ids),
      targets: [...outside(before), ...labels.slice(0, room), ...outside(after)],
      isCut: ids.length > room,
    };
  }

  return async (index: number): Promise<Encoded> => {
    const known = cache.get(index);
    if (known) return known;
    const record = await source.read(index);
    const encoded = await ('words' in record ? ofWords(record) : ofText(record));
    cache.set(index, encoded);
    return encoded;
  };
}

/** Takes a share of the records away from training, the same for every seed. */
function splitRecords({ count }: LabelledSource, fraction: number): [Int32Array, Int32Array] {
  if (count < 2) {
    throw new UserError(
      'There is only one labelled text, so none can be held out for evaluation.',
      advise`Give more texts, or separate ones to evaluate on${by('evalData')}.`,
    );
  }
  const order = permutation(count, randomGenerator(0, randomStreams.labelledSplit));
  const heldOut = Math.min(count - 1, Math.max(1, Math.round(count * fraction)));
  return [order.slice(heldOut).sort(), order.slice(0, heldOut).sort()];
}

const all = ({ count }: LabelledSource): Int32Array =>
  Int32Array.from({ length: count }, (_, index) => index);

function partsOf(options: LabelledBatchOptions): { train: Part; heldOut: Part } {
  const { train, heldOut } = options.sets;
  const encode = encoder(options, train);
  if (heldOut) {
    const { source } = heldOut;
    return {
      train: { source: train, indices: all(train), encode },
      heldOut: { source, indices: all(source), encode: encoder(options, source) },
    };
  }
  const [learned, kept] = splitRecords(train, options.heldOutFraction ?? 0.05);
  return {
    train: { source: train, indices: learned, encode },
    heldOut: { source: train, indices: kept, encode },
  };
}

/** The token that stands for a text: transformers takes the last that is no padding, whatever it is. */
function lastToken(ids: Int32Array, paddingId: number): number {
  const last = ids.findLastIndex(id => id !== paddingId);
  return Math.max(last, 0);
}

/** Says how many texts are cut, of as many as take a moment to tokenise. */
async function cutNotes(
  { indices, encode }: Part,
  { sequenceLength, tokenizer }: LabelledBatchOptions,
): Promise<Note[]> {
  const measured = Math.min(measuredTexts, indices.length);
  let cut = 0;
  for (let number = 0; number < measured; number++) {
    const at = Math.floor((number * indices.length) / measured);
    if ((await encode(indices[at]!)).isCut) cut++;
  }
  if (cut === 0) return [];
  const of = measured === indices.length ? 'the texts' : `${measured} texts that were looked at`;
  return [
    {
      message: `${cut} of ${of} are longer than ${sequenceLength} tokens${tokenizer.around && ` (${tokenizer.around} included)`}: their ends are left out.`,
      remedy: advise`Give ${larger('sequenceLength')}, if the model has positions for it.`,
    },
  ];
}

function heldOutNotes(heldOut: number, asked: number | undefined, needed: number): Note[] {
  const notes: Note[] = [];
  if (heldOut < fewHeldOut) {
    notes.push({
      message: `Only ${counted(heldOut, 'labelled text is', 'labelled texts are')} held out, so the scores say little: each counts for ${Number((100 / heldOut).toPrecision(2))} %.`,
      remedy: advise`Give more texts, or separate ones to evaluate on${by('evalData')}.`,
    });
  }
  if (asked !== undefined && asked > needed) {
    notes.push({
      message: `The held-out texts make ${counted(needed, 'batch', 'batches')}, not ${asked}: each is counted once.`,
      remedy: advise`Give more texts to evaluate on${by('evalData')}.`,
    });
  }
  return notes;
}

/**
 * Batches of labelled texts, each epoch in an order of its own.
 *
 * `input_ids` and `attention_mask` [batch × sequence], texts padded at their end; `positions`, the flat
 * index of the token that stands for each text, or of every token where each has a label; `targets`, the
 * number of a class each, or as many numbers as the model has outputs; `weights`, each 1 / count, or 0
 * for what does not count: tokens without a label, and texts that only fill up the last held-out batch.
 * @throws UserError, UsageError for what makes no batches
 */
export async function openLabelledBatches(options: LabelledBatchOptions): Promise<BatchSource> {
  checkSizes(options);
  const { sets, batchSize, sequenceLength, seed, reads, paddingId } = options;
  const { problem, outputs } = sets.train.rules;
  const { train, heldOut } = partsOf(options);
  const isNumeric = problem !== 'single_label_classification';
  const rows = reads === 'all' ? batchSize * sequenceLength : batchSize;
  const shown = epochs(train.indices.length, seed, randomStreams.labelledOrder);

  async function toBatch(part: Part, chosen: readonly number[]): Promise<Batch> {
    const texts = await Promise.all(chosen.map(at => part.encode(part.indices[at]!)));
    const inputIds = new Int32Array(batchSize * sequenceLength).fill(paddingId);
    const attentionMask = new Float32Array(batchSize * sequenceLength);
    const positions = Int32Array.from({ length: rows }, (_, row) =>
      reads === 'all' ? row : row * sequenceLength,
    );
    const targets = isNumeric ? new Float32Array(rows * outputs) : new Int32Array(rows);
    const weights = new Float32Array(rows);
    let count = 0;
    texts.forEach(({ ids, targets: wanted }, text) => {
      const start = text * sequenceLength;
      inputIds.set(ids, start);
      attentionMask.fill(1, start, start + ids.length);
      if (reads !== 'all') {
        targets.set(wanted, text * (isNumeric ? outputs : 1));
        weights[text] = 1;
        count++;
        if (reads === 'last') positions[text] = start + lastToken(ids, paddingId);
        return;
      }
      wanted.forEach((target, index) => {
        if (target === ignoredLabel) return;
        targets[start + index] = target;
        weights[start + index] = 1;
        count++;
      });
    });
    // A text that only fills a batch up still has to have a token that is seen.
    for (let text = texts.length; text < batchSize; text++) {
      attentionMask[text * sequenceLength] = 1;
    }
    const share = count === 0 ? 0 : 1 / count;
    return {
      input_ids: inputIds,
      attention_mask: attentionMask,
      positions,
      targets,
      weights: weights.map(weight => weight * share),
    };
  }

  const heldOutCount = heldOut.indices.length;
  const needed = Math.ceil(heldOutCount / batchSize);
  const asked = options.evaluationBatches;
  const evaluationBatches = Math.min(asked ?? mostEvaluationBatches, needed);
  const evaluated = Math.min(evaluationBatches * batchSize, heldOutCount);

  const separate = sets.heldOut;
  const described = await describeFiles(
    separate
      ? [
          ...train.source.files,
          ...separate.source.files.map(file => ({ ...file, name: `evaluation: ${file.name}` })),
        ]
      : train.source.files,
    separate
      ? `separate texts: ${basename(separate.path)}`
      : `${heldOutCount} of ${train.source.count} labelled texts, drawn once for all seeds`,
  );

  return {
    itemsPerBatch: batchSize,
    unit: 'texts',
    evaluationBatches,
    ...described,
    notes: [
      ...notesOnBoth(train.source.notes, separate?.source.notes ?? []),
      ...(await cutNotes(train, options)),
      ...heldOutNotes(heldOutCount, asked, needed),
    ],
    async train(step) {
      const chosen = Array.from({ length: batchSize }, (_, row) =>
        shown.at(step * batchSize + row),
      );
      const batch = await toBatch(train, chosen);
      if (batch['weights']!.some(weight => weight > 0)) return batch;
      throw new UserError(
        'No token of a whole batch has a label.',
        advise`Give ${larger('batch')}, ${larger('sequenceLength')}, or texts with more labels.`,
      );
    },
    evaluate(index) {
      if (!(Number.isInteger(index) && index >= 0 && index < evaluationBatches)) {
        throw new RangeError(`evaluate(${index}): there are ${evaluationBatches} batches`);
      }
      const first = index * batchSize;
      const last = Math.min(first + batchSize, evaluated);
      const chosen = Array.from({ length: last - first }, (_, row) =>
        // Evenly over the texts, which may be sorted by class.
        Math.floor(((first + row) * heldOutCount) / evaluated),
      );
      return toBatch(heldOut, chosen);
    },
    close() {
      shown.clear();
      train.source.clear();
      heldOut.source.clear();
      return Promise.resolve();
    },
  };
}
