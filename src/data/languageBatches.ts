import { UserError, type Note } from '../errors';
import type { Batch, BatchSource } from './batches';
import { randomGenerator, randomStreams, type RandomGenerator } from '../random';
import {
  openTextSource,
  type LineSeparator,
  type TextSource,
  type TextSourceSurvey,
} from './textSource';
import { requireWhole } from './optionChecks';
import { requireMask, type TextTokenizer } from './tokenizer';
import { by } from '../remedy/actions';
import { advise } from '../remedy/remedy';

export interface LanguageBatchOptions {
  /** A text file, or a folder of .txt, .md and .jsonl. */
  readonly path: string;
  /** Text to evaluate on; without it the end of `path` is held out. */
  readonly evaluationPath?: string | undefined;
  readonly tokenizer: TextTokenizer;
  readonly batchSize: number;
  /** Tokens in one sequence, [CLS] and [SEP] included. */
  readonly sequenceLength: number;
  readonly seed: number;
  /** Share of the bytes that is held out, at the end; 0.05 unless told. */
  readonly heldOutFraction?: number | undefined;
  /** As many as read the held-out part about once, 16 at most, unless told. */
  readonly evaluationBatches?: number | undefined;
  /** What stands between lines; the line feed unless told. */
  readonly separator?: LineSeparator | undefined;
  /** What `surveyTextSource` found, where that was done before. */
  readonly survey?: TextSourceSurvey | undefined;
}

export interface MaskedBatchOptions extends LanguageBatchOptions {
  /** Whether sequences are [CLS] … [SEP], where the tokenizer has both; true unless told. */
  readonly wrap?: boolean | undefined;
}

/** The share of tokens to predict, and what becomes of them, in BERT's pretraining. */
export const masking = { share: 0.15, replacedByMask: 0.8, replacedAtRandom: 0.1 } as const;

/** Held-out masks do not depend on the run's seed, so that losses of different seeds compare. */
const evaluationSeed = 0;

/** English text has about this many bytes a token; only the default of `evaluationBatches` uses it. */
const typicalBytesPerToken = 4;
const mostEvaluationBatches = 16;

/** Refuses sizes that make no batch; `least` is the shortest sequence with something to predict. */
function checkSizes(options: LanguageBatchOptions, least: number): void {
  const { batchSize, sequenceLength, evaluationBatches = 1 } = options;
  requireWhole('batch size', batchSize);
  requireWhole('sequence length', sequenceLength, least);
  requireWhole('number of evaluation batches', evaluationBatches);
}

/** Says so when the held-out part is shown more than once, so that its loss tells less than it seems. */
function smallnessNotes({ heldOutBytes }: TextSource, shown: number): Note[] {
  // No tokenizer makes more tokens than bytes, so this is certain.
  if (heldOutBytes >= shown) return [];
  return [
    {
      message: `The held-out part has ${heldOutBytes.toLocaleString('en')} bytes, and evaluation shows ${shown.toLocaleString('en')} tokens: parts of it are counted more than once.`,
      remedy: advise`Give a separate text to evaluate on${by('evalData')}, or smaller batches.`,
    },
  ];
}

/** What causal and masked batches share: windows, counts and the receipt. */
function batchSource(
  source: TextSource,
  options: LanguageBatchOptions,
  toBatch: (windows: readonly Int32Array[], random: () => RandomGenerator) => Batch,
): BatchSource {
  const { batchSize, sequenceLength, seed } = options;
  const itemsPerBatch = batchSize * sequenceLength;
  const evaluationBatches =
    options.evaluationBatches ??
    Math.min(
      mostEvaluationBatches,
      Math.max(1, Math.floor(source.heldOutBytes / typicalBytesPerToken / itemsPerBatch)),
    );
  const rows = Array.from({ length: batchSize }, (_, row) => row);
  return {
    itemsPerBatch,
    unit: 'tokens',
    trainBytes: source.trainBytes,
    evaluationBatches,
    description: source.description,
    requireUnchanged: () => source.requireUnchanged(),
    notes: [...source.notes, ...smallnessNotes(source, evaluationBatches * itemsPerBatch)],
    async train(step) {
      const windows = await Promise.all(rows.map(row => source.trainWindow(seed, step, row)));
      return toBatch(windows, () => randomGenerator(seed, randomStreams.masks, step));
    },
    async evaluate(index) {
      if (!(Number.isInteger(index) && index >= 0 && index < evaluationBatches)) {
        throw new RangeError(`evaluate(${index}): there are ${evaluationBatches} batches`);
      }
      const count = evaluationBatches * batchSize;
      const windows = await Promise.all(
        rows.map(row => source.heldOutWindow(index * batchSize + row, count)),
      );
      return toBatch(windows, () =>
        randomGenerator(evaluationSeed, randomStreams.evaluationMasks, index),
      );
    },
    close() {
      source.close();
      return Promise.resolve();
    },
  };
}

/**
 * Batches that ask a causal model for the next token.
 *
 * `input_ids` [batch × sequence]; `positions` [batch × (sequence − 1)], the flat indices of all
 * tokens but the last of each sequence; `targets`, the tokens that follow them; `weights`, each
 * 1 / count, so that the weighted sum of losses is their mean. Sequences are always full, so no
 * attention mask is needed.
 * @throws UserError, UsageError as `openTextSource` does, or for sizes that make no batch
 */
export async function openCausalBatches(options: LanguageBatchOptions): Promise<BatchSource> {
  checkSizes(options, 2);
  const { batchSize, sequenceLength } = options;
  const source = await openTextSource({ ...options, windowTokens: sequenceLength });
  const predicted = sequenceLength - 1;
  const count = batchSize * predicted;
  return batchSource(source, options, windows => {
    const inputIds = new Int32Array(batchSize * sequenceLength);
    const positions = new Int32Array(count);
    const targets = new Int32Array(count);
    windows.forEach((window, row) => {
      inputIds.set(window, row * sequenceLength);
      targets.set(window.subarray(1), row * predicted);
      for (let column = 0; column < predicted; column++) {
        positions[row * predicted + column] = row * sequenceLength + column;
      }
    });
    const weights = new Float32Array(count).fill(1 / count);
    return { input_ids: inputIds, positions, targets, weights };
  });
}

/** Whether masked sequences of a tokenizer are [CLS] … [SEP]: it has both, and nobody said no. */
export function wrapsSequences(tokenizer: Pick<TextTokenizer, 'special'>, wrap = true): boolean {
  const { cls, sep } = tokenizer.special;
  return wrap && cls !== undefined && sep !== undefined;
}

/**
 * How many tokens of every masked batch are to be predicted: 15 %, the same in each batch so that
 * shapes are static.
 * @param wrapped what `wrapsSequences` says
 */
export function maskedPositions(
  batchSize: number,
  sequenceLength: number,
  wrapped: boolean,
): number {
  const maskable = batchSize * (wrapped ? sequenceLength - 2 : sequenceLength);
  return Math.max(1, Math.round(masking.share * maskable));
}

/** `count` of `candidates` without replacement, in ascending order. */
function choose(candidates: Int32Array, count: number, random: RandomGenerator): Int32Array {
  const pool = candidates.slice();
  for (let index = 0; index < count; index++) {
    const other = index + random.integer(pool.length - index);
    const chosen = pool[other]!;
    pool[other] = pool[index]!;
    pool[index] = chosen;
  }
  return pool.subarray(0, count).sort();
}

/**
 * Batches that ask a masked model for hidden tokens, as BERT was trained: of the chosen 15 %, 80 %
 * become [MASK], 10 % a random token, 10 % stay.
 *
 * `input_ids` [batch × sequence]; `positions` [maskedPositions(…)], ascending flat indices, never of
 * a special token; `targets`, the tokens that were there; `weights`, each 1 / count. A batch with
 * fewer ordinary tokens than that (text mostly unknown to the tokenizer) fills up with positions of
 * weight 0.
 * @throws UserError, UsageError as `openTextSource` does, without a mask token, or for sizes that make no batch
 */
export async function openMaskedBatches(options: MaskedBatchOptions): Promise<BatchSource> {
  const { tokenizer, batchSize, sequenceLength } = options;
  const mask = requireMask(tokenizer);
  const wrapped = wrapsSequences(tokenizer, options.wrap);
  checkSizes(options, wrapped ? 3 : 1);
  const { cls = 0, sep = 0 } = tokenizer.special;
  const { specialIds, vocabularySize } = tokenizer;
  const ordinaryIds = Int32Array.from({ length: vocabularySize }, (_, id) => id).filter(
    id => !specialIds.has(id),
  );
  const windowTokens = wrapped ? sequenceLength - 2 : sequenceLength;
  const source = await openTextSource({ ...options, windowTokens });
  const count = maskedPositions(batchSize, sequenceLength, wrapped);

  return batchSource(source, options, (windows, randomOf) => {
    const random = randomOf();
    const inputIds = new Int32Array(batchSize * sequenceLength);
    windows.forEach((window, row) => {
      const start = row * sequenceLength;
      if (wrapped) {
        inputIds[start] = cls;
        inputIds[start + sequenceLength - 1] = sep;
      }
      inputIds.set(window, start + (wrapped ? 1 : 0));
    });
    const all = inputIds.map((_, index) => index);
    const candidates = all.filter(index => !specialIds.has(inputIds[index]!));
    if (candidates.length === 0) {
      throw new UserError(
        'The tokenizer knows no token of the text in a whole batch.',
        'Train on text in the language and the writing that the model was trained on.',
      );
    }
    const chosen = choose(candidates, Math.min(count, candidates.length), random);
    const weights = new Float32Array(count).fill(1 / chosen.length, 0, chosen.length);
    const fillers = all.filter(index => specialIds.has(inputIds[index]!));
    const positions = new Int32Array(count);
    positions.set(chosen);
    positions.set(fillers.subarray(0, count - chosen.length), chosen.length);
    const targets = positions.map(position => inputIds[position]!);
    for (const position of chosen) {
      const fate = random.uniform();
      if (fate < masking.replacedByMask) inputIds[position] = mask;
      else if (fate < masking.replacedByMask + masking.replacedAtRandom) {
        inputIds[position] = ordinaryIds[random.integer(ordinaryIds.length)]!;
      }
    }
    return { input_ids: inputIds, positions, targets, weights };
  });
}
