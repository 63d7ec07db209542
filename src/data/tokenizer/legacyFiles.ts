import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { UnsupportedError, UserError } from '../../errors';
import { readJson, readText } from '../jsonFiles';
import { parseMerges, parseVocabulary } from './model';

/** Tokenizers that are a compiled SentencePiece model, which only the Python libraries convert. */
const sentencePieceFiles = ['spiece.model', 'sentencepiece.bpe.model', 'tokenizer.model'];

const convert =
  'Convert it once in Python: transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes tokenizer.json.';

/** The vocabulary of a tokenizer without tokenizer.json; byte-pair encoding has merges, too. */
export interface LegacyVocabulary {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merges?: [string, string][];
}

/** BERT: one WordPiece a line, its id the number of the line. */
export async function wordPieceVocabulary(directory: string): Promise<LegacyVocabulary> {
  await refuseFairseq(directory);
  const text = await readText(directory, 'vocab.txt');
  if (text === undefined) throw await missing(directory, ['vocab.txt']);
  const lines = text.replace(/\r?\n$/, '').split('\n');
  return { vocabulary: new Map(lines.map((token, id) => [token.trimEnd(), id])) };
}

/** GPT-2 and RoBERTa: token to id, and one merge a line in the order of their rank. */
export async function bytePairVocabulary(directory: string): Promise<LegacyVocabulary> {
  const vocabulary = await readJson(directory, 'vocab.json');
  const merges = await readText(directory, 'merges.txt');
  if (vocabulary === undefined || merges === undefined) {
    throw await missing(directory, [
      ...(vocabulary === undefined ? ['vocab.json'] : []),
      ...(merges === undefined ? ['merges.txt'] : []),
    ]);
  }
  return {
    vocabulary: parseVocabulary(vocabulary, join(directory, 'vocab.json')),
    merges: parseMerges(
      merges.split(/\r?\n/).filter(line => line !== '' && !line.startsWith('#version')),
      join(directory, 'merges.txt'),
    ),
  };
}

/** @throws UnsupportedError for the files of PhoBERT and BERTweet, whose vocab.txt is no list of word pieces */
async function refuseFairseq(directory: string): Promise<void> {
  if (!(await exists(directory, 'bpe.codes'))) return;
  throw new UnsupportedError(
    `The tokenizer in ${directory} is a fairseq dictionary with bpe.codes, which is not supported.`,
    'Use a checkpoint with the tokenizer of BERT, RoBERTa or GPT-2.',
  );
}

/** What to say of a tokenizer that lacks files. */
async function missing(directory: string, names: readonly string[]): Promise<UserError> {
  await refuseFairseq(directory);
  for (const name of sentencePieceFiles) {
    if (await exists(directory, name)) {
      return new UnsupportedError(
        `The tokenizer in ${directory} is a SentencePiece model (${name}) without tokenizer.json.`,
        convert,
      );
    }
  }
  const known = ['vocab.txt', 'vocab.json', 'merges.txt'];
  const found = (await Promise.all(known.map(name => exists(directory, name)))).some(Boolean);
  if (found) {
    return new UserError(
      `The tokenizer in ${directory} is incomplete: ${names.join(' and ')} ${names.length > 1 ? 'are' : 'is'} missing.`,
      `Put ${names.join(' and ')} of the same checkpoint beside it. ${convert}`,
    );
  }
  return new UserError(
    `There is no tokenizer in ${directory}: neither tokenizer.json, nor vocab.txt, nor vocab.json with merges.txt.`,
    'Copy tokenizer.json of the checkpoint into its folder; without it text cannot become the ids the model knows.',
  );
}

/** Whether a folder has a file of that name. */
export function exists(directory: string, name: string): Promise<boolean> {
  return access(join(directory, name)).then(
    () => true,
    () => false,
  );
}
