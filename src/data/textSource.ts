import { basename } from 'node:path';
import { UserError, type Note } from '../errors';
import type { BatchSource } from './batches';
import { counted } from '../format';
import { boundedCache } from './boundedCache';
import { openCorpus, type Corpus, type CorpusLine } from './corpus';
import { notesOnBoth } from './note';
import { requireShare } from './optionChecks';
import { randomGenerator, randomStreams } from '../random';
import { readBytes, type ReadBytes } from './sourceFiles';
import { splitText } from './splitText';
import { surveyText, type TextSurvey } from './textSurvey';
import type { TextTokenizer } from './tokenizer';
import { describeFiles } from './unchanged';
import { by, smaller } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/**
 * What stands between two lines: the line feed as text, nothing, or ids such as end-of-text. In a
 * .jsonl file a record is a line, and line feeds within its text stay.
 */
export type LineSeparator = 'newline' | 'none' | readonly number[];

export interface TextSourceOptions {
  /** A text file, or a folder of .txt, .md and .jsonl. */
  readonly path: string;
  /** Text to evaluate on; without it the end of `path` is held out. */
  readonly evaluationPath?: string | undefined;
  readonly tokenizer: TextTokenizer;
  /** Tokens in one window. */
  readonly windowTokens: number;
  /** Share of the bytes that is held out, at the end; 0.05 unless told. */
  readonly heldOutFraction?: number | undefined;
  /** 'newline' unless told. */
  readonly separator?: LineSeparator | undefined;
  /** What `surveyText` found of `path` and `evaluationPath`, where that was done before. */
  readonly survey?: TextSourceSurvey | undefined;
  /** For tests that count what is read. */
  readonly read?: ReadBytes | undefined;
}

/** The files of a source, and of the text to evaluate on where that is separate. */
export interface TextSourceSurvey {
  readonly train: TextSurvey;
  readonly evaluation?: TextSurvey | undefined;
}

/** Looks once at every byte of a source. @throws UserError as `surveyText` does */
export async function surveyTextSource(
  { path, evaluationPath, read }: Pick<TextSourceOptions, 'path' | 'evaluationPath' | 'read'>,
  signal?: AbortSignal,
): Promise<TextSourceSurvey> {
  const train = await surveyText(path, read, signal);
  if (evaluationPath === undefined) return { train };
  return { train, evaluation: await surveyText(evaluationPath, read, signal) };
}

/** Windows of tokens out of text of any size, most of which is never in memory. */
export interface TextSource extends Pick<BatchSource, 'description' | 'requireUnchanged'> {
  /** What a person should know: what is not read, and how the rest is. */
  readonly notes: readonly Note[];
  readonly trainBytes: number;
  readonly heldOutBytes: number;
  /** The training window `index` of a step: [windowTokens]. */
  trainWindow(seed: number, step: number, index: number): Promise<Int32Array>;
  /** Window `index` of `count` that are evenly spaced over the held-out part: [windowTokens]. */
  heldOutWindow(index: number, count: number): Promise<Int32Array>;
  close(): void;
}

/** Tokenised text is kept up to this many tokens (and as many for the evaluation text): 8 MiB. */
export const cachedTokens = 2 * 1024 * 1024;

/** What an entry costs besides its tokens, in tokens, so that blank lines count too. */
const entryOverhead = 32;

/** A stretch of at most this many characters is tokenised at a time. */
const pieceCharacters = 4096;

/** Tokenised text of a line, or of one of the pieces an overlong line is cut into. */
interface Piece {
  readonly ids: Int32Array;
  readonly line: { readonly start: number; readonly end: number; readonly pieces: number };
}

/** A range of bytes of a corpus that starts and ends between lines. */
interface Part {
  readonly start: number;
  readonly end: number;
}

/** The tokens of a corpus, piece by piece, from any byte on. */
function tokenReader(corpus: Corpus, tokenizer: TextTokenizer, separator: LineSeparator) {
  // A line of n bytes has fewer pieces than bytes, so start + number is a key that no other has.
  const cache = boundedCache<Piece>(cachedTokens, ({ ids }) => ids.length + entryOverhead);
  const between = typeof separator === 'string' ? [] : separator;

  async function tokenise(line: CorpusLine): Promise<(number: number) => Promise<Piece>> {
    const text = await line.text();
    const ending = separator === 'newline' && line.complete ? '\n' : '';
    const pieces = splitText(text + ending, pieceCharacters);
    const range = { start: line.start, end: line.end, pieces: pieces.length };
    return async number => {
      // Lines that a line feed joins are one text.
      const goesOn = number > 0 || (separator === 'newline' && line.start > 0);
      const ids = await tokenizer.encode(pieces[number]!, goesOn ? 'continued' : 'first');
      const closes = line.complete && number === pieces.length - 1 && text !== '';
      return { ids: closes ? Int32Array.of(...ids, ...between) : ids, line: range };
    };
  }

  // A window often goes on in the line it began in, and a JSON record is parsed as a whole.
  let latest: { start: number; pieceAt: (number: number) => Promise<Piece> } | undefined;

  /** Piece `number` of the line that starts at `start`. */
  async function pieceOf(start: number, number: number, known?: CorpusLine): Promise<Piece> {
    const cached = cache.get(start + number);
    if (cached) return cached;
    if (latest?.start !== start) {
      latest = { start, pieceAt: await tokenise(known ?? (await corpus.lineAt(start))) };
    }
    const piece = await latest.pieceAt(number);
    cache.set(start + number, piece);
    return piece;
  }

  /** `count` tokens from a token of the line that holds `offset`, on past the end of the part. */
  async function window(
    part: Part,
    offset: number,
    count: number,
    tokenOf: (piece: Piece, fraction: number) => number,
  ): Promise<Int32Array> {
    const line = await corpus.lineAt(offset);
    const within = (offset - line.start) / (line.end - line.start);
    let piece = await pieceOf(line.start, 0, line);
    let number = Math.floor(within * piece.line.pieces);
    if (number > 0) piece = await pieceOf(line.start, number, line);
    const ids = new Int32Array(count);
    const fraction = within * piece.line.pieces - number;
    let from = piece.ids.length === 0 ? 0 : tokenOf(piece, fraction);
    for (let filled = 0; ;) {
      const taken = piece.ids.subarray(from, from + count - filled);
      ids.set(taken, filled);
      filled += taken.length;
      if (filled === count) return ids;
      from = 0;
      const { start, end, pieces } = piece.line;
      if (number + 1 < pieces) piece = await pieceOf(start, ++number);
      else {
        number = 0;
        piece = await pieceOf(end < part.end ? end : part.start, 0);
      }
    }
  }

  /** Whether a part holds at least `count` tokens, and how many it holds if not. */
  async function holds(part: Part, count: number): Promise<{ enough: boolean; tokens: number }> {
    let tokens = 0;
    for (let start = part.start, number = 0; start < part.end;) {
      const { ids, line } = await pieceOf(start, number);
      tokens += ids.length;
      if (tokens >= count) return { enough: true, tokens };
      number = number + 1 < line.pieces ? number + 1 : 0;
      if (number === 0) start = line.end;
    }
    return { enough: false, tokens };
  }

  function clear(): void {
    cache.clear();
    latest = undefined;
  }

  return { window, holds, clear };
}

/** Where the held-out part starts: the first line that starts at or after its share of the bytes. */
async function splitAt(corpus: Corpus, fraction: number, path: string): Promise<number> {
  const wanted = Math.min(corpus.bytes - 1, Math.floor(corpus.bytes * (1 - fraction)));
  const line = await corpus.lineAt(wanted);
  const split = line.start === wanted || line.end === corpus.bytes ? line.start : line.end;
  if (split === 0) {
    throw new UserError(
      `${path} is a single line, so no part of it can be held out for evaluation.`,
      advise`Give a longer text, or a separate text to evaluate on${by('evalData')}.`,
    );
  }
  return split;
}

/**
 * Opens text for training and evaluation.
 * @throws UserError when there is no text, or too little for one window in either part
 */
export async function openTextSource(options: TextSourceOptions): Promise<TextSource> {
  const { path, evaluationPath, tokenizer, windowTokens, separator = 'newline' } = options;
  const { heldOutFraction = 0.05, read = readBytes } = options;
  requireShare(heldOutFraction);
  const survey = options.survey ?? (await surveyTextSource(options));
  const corpus = await openCorpus(path, read, survey.train);
  const evaluationCorpus =
    evaluationPath === undefined
      ? corpus
      : await openCorpus(evaluationPath, read, survey.evaluation);
  const split =
    evaluationPath === undefined ? await splitAt(corpus, heldOutFraction, path) : corpus.bytes;
  const train: Part = { start: 0, end: split };
  const heldOut: Part =
    evaluationPath === undefined
      ? { start: split, end: corpus.bytes }
      : { start: 0, end: evaluationCorpus.bytes };

  const trainTokens = tokenReader(corpus, tokenizer, separator);
  const heldOutTokens =
    evaluationPath === undefined
      ? trainTokens
      : tokenReader(evaluationCorpus, tokenizer, separator);

  const parts = [
    ['training', path, trainTokens, train],
    ['held-out', evaluationPath ?? path, heldOutTokens, heldOut],
  ] as const;
  for (const [which, where, tokens, part] of parts) {
    const { enough, tokens: found } = await tokens.holds(part, windowTokens);
    if (!enough) {
      throw new UserError(
        `The ${which} part of ${where} holds only ${counted(found, 'token')}; one window needs ${windowTokens}.`,
        advise`Give more text, ${smaller('sequenceLength')}, or a separate text to evaluate on${by('evalData')}.`,
      );
    }
  }

  const files =
    evaluationPath === undefined
      ? corpus.files
      : [
          ...corpus.files,
          ...evaluationCorpus.files.map(file => ({ ...file, name: `evaluation: ${file.name}` })),
        ];
  const description = await describeFiles(
    files,
    evaluationPath === undefined
      ? `the last ${corpus.bytes - split} of ${corpus.bytes} bytes, from byte ${split} on`
      : `separate text: ${basename(evaluationPath)}`,
    read,
  );

  return {
    ...description,
    notes: notesOnBoth(corpus.notes, evaluationPath === undefined ? [] : evaluationCorpus.notes),
    trainBytes: train.end - train.start,
    heldOutBytes: heldOut.end - heldOut.start,
    trainWindow(seed, step, index) {
      const random = randomGenerator(seed, randomStreams.textWindows, step, index);
      const offset = train.start + random.integer(train.end - train.start);
      return trainTokens.window(train, offset, windowTokens, ({ ids }) =>
        random.integer(ids.length),
      );
    },
    heldOutWindow(index, count) {
      const offset = heldOut.start + Math.floor((index / count) * (heldOut.end - heldOut.start));
      return heldOutTokens.window(heldOut, offset, windowTokens, ({ ids }, fraction) =>
        Math.floor(fraction * ids.length),
      );
    },
    close() {
      trainTokens.clear();
      heldOutTokens.clear();
      corpus.clear();
      evaluationCorpus.clear();
    },
  };
}
