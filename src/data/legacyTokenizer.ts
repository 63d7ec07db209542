import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CorruptFileError, UnsupportedError, UserError } from '../errors';
import { readJson, readText } from './jsonFiles';

/** Tokenizers that are a compiled SentencePiece model, which only the Python libraries convert. */
const sentencePieceFiles = ['spiece.model', 'sentencepiece.bpe.model', 'tokenizer.model'];

const convert =
  'Convert it once in Python: transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes tokenizer.json.';

type Vocabulary = Record<string, number>;

/** An entry of `added_tokens` in tokenizer.json. */
function addedToken(content: string, id: number, lstrip: boolean, special: boolean): object {
  return { id, content, single_word: false, lstrip, rstrip: false, normalized: false, special };
}

/** The special tokens that the vocabulary has, as tokenizer.json lists them. */
function addedTokens(
  vocabulary: Vocabulary,
  named: readonly string[],
  customary: readonly string[],
  extra: Record<string, unknown>,
): object[] {
  const special = new Set(
    [...customary, ...named].filter(token => Object.hasOwn(vocabulary, token)),
  );
  const tokens = [...special].map(token =>
    // A mask stands for a word with its space in front of it, as in transformers' own conversion.
    addedToken(token, vocabulary[token]!, token === '<mask>', true),
  );
  for (const [token, id] of Object.entries(extra)) {
    if (typeof id === 'number' && !special.has(token)) {
      tokens.push(addedToken(token, id, token === '<mask>', named.includes(token)));
    }
  }
  return tokens;
}

/** BERT: one WordPiece a line, its id the number of the line. */
function wordPiece(
  text: string,
  config: Record<string, unknown>,
  named: readonly string[],
  extra: Record<string, unknown>,
): Record<string, unknown> {
  const vocabulary: Vocabulary = {};
  text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .forEach((token, id) => (vocabulary[token] = id));
  return {
    added_tokens: addedTokens(
      vocabulary,
      named,
      ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
      extra,
    ),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: config['tokenize_chinese_chars'] ?? true,
      strip_accents: config['strip_accents'] ?? null,
      lowercase: config['do_lower_case'] ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: vocabulary,
    },
  };
}

/** GPT-2 and RoBERTa: byte-level byte-pair encoding, one merge a line in the order of their rank. */
function byteLevel(
  vocabulary: Vocabulary,
  merges: string,
  config: Record<string, unknown>,
  named: readonly string[],
  extra: Record<string, unknown>,
): Record<string, unknown> {
  const prefix = config['add_prefix_space'] === true;
  return {
    added_tokens: addedTokens(
      vocabulary,
      named,
      ['<s>', '<pad>', '</s>', '<unk>', '<mask>', '<|endoftext|>'],
      extra,
    ),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: prefix, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      vocab: vocabulary,
      merges: merges
        .split(/\r?\n/)
        // "#" begins a comment only in the first line: "# #" may be a merge.
        .filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#version')))
        .map(line => line.split(' ')),
    },
  };
}

/**
 * Makes of a tokenizer's files from before tokenizer.json what tokenizer.json would hold, because
 * many published checkpoints have only those.
 * @throws UserError when there is no tokenizer; UnsupportedError when it is of a kind that cannot be converted here
 */
export async function legacyTokenizerJson(
  directory: string,
  config: Record<string, unknown>,
  roles: Readonly<Partial<Record<string, string>>>,
): Promise<Record<string, unknown>> {
  const named = Object.values(roles).filter(token => token !== undefined);
  const extra = (await readJson(directory, 'added_tokens.json')) ?? {};
  const words = await readText(directory, 'vocab.txt');
  if (words !== undefined) return wordPiece(words, config, named, extra);

  const vocabulary = await readJson(directory, 'vocab.json');
  const merges = await readText(directory, 'merges.txt');
  if (vocabulary !== undefined && merges !== undefined) {
    const isId = (id: unknown): boolean => Number.isInteger(id) && Number(id) >= 0;
    if (!Object.values(vocabulary).every(isId)) {
      throw new CorruptFileError(
        `${join(directory, 'vocab.json')} does not map every token to an id.`,
        'Download the file again.',
      );
    }
    if (/^(?!#version)(?!\S+ \S+\r?$).+$/m.test(merges)) {
      throw new CorruptFileError(
        `${join(directory, 'merges.txt')} has a line that is not two tokens with a space between them.`,
        'Download the file again.',
      );
    }
    return byteLevel(vocabulary as Vocabulary, merges, config, named, extra);
  }
  for (const name of sentencePieceFiles) {
    const found = await access(join(directory, name)).then(
      () => true,
      () => false,
    );
    if (found) {
      throw new UnsupportedError(
        `The tokenizer in ${directory} is a SentencePiece model (${name}) without tokenizer.json.`,
        convert,
      );
    }
  }
  if (vocabulary !== undefined || merges !== undefined) {
    const missing = vocabulary === undefined ? 'vocab.json' : 'merges.txt';
    throw new UserError(
      `The tokenizer in ${directory} is incomplete: ${missing} is missing.`,
      `Put ${missing} of the same checkpoint beside it. ${convert}`,
    );
  }
  throw new UserError(
    `There is no tokenizer in ${directory}: neither tokenizer.json, nor vocab.txt, nor vocab.json with merges.txt.`,
    'Copy tokenizer.json of the checkpoint into its folder; without it text cannot become the ids the model knows.',
  );
}
