import { BPE, WordPiece } from '@huggingface/tokenizers';
import { CorruptFileError, UnsupportedError } from '../../errors';
import { shortJson } from '../../format';
import { isRecord } from '../jsonFiles';
import { noUnknown, type SpellingModel } from './spelling';
import { parsePieces, unigram } from './unigram';

const repair = 'Take the tokenizer.json of the original checkpoint.';

/** Far above any published vocabulary; a larger id is a defect that would exhaust the memory. */
const largestVocabulary = 16_777_216;

/** A vocabulary as JSON has it, token to id. */
export function parseVocabulary(value: unknown, where: string): Map<string, number> {
  const problem = (what: string): CorruptFileError =>
    new CorruptFileError(`${where} ${what}.`, 'Download the file again.');
  if (!isRecord(value)) throw problem('has no vocabulary');
  const vocabulary = new Map<string, number>();
  for (const [token, id] of Object.entries(value)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      throw problem('does not map every token to an id');
    }
    if (id >= largestVocabulary) throw problem(`has ids up to ${id}, which no vocabulary has`);
    vocabulary.set(token, id);
  }
  if (vocabulary.size === 0) throw problem('has an empty vocabulary');
  return vocabulary;
}

/** The pairs that are merged, in the order of their rank: `["a", "b"]` or `"a b"`. */
export function parseMerges(value: unknown, where: string): [string, string][] {
  if (!Array.isArray(value)) {
    throw new CorruptFileError(`${where} has no list of merges.`, 'Download the file again.');
  }
  return value.map((merge: unknown) => {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (
      Array.isArray(pair) &&
      pair.length === 2 &&
      typeof pair[0] === 'string' &&
      typeof pair[1] === 'string'
    ) {
      return [pair[0], pair[1]];
    }
    throw new CorruptFileError(
      `${where} has a merge that is not two tokens with a space between them.`,
      'Download the file again.',
    );
  });
}

/** How BERT spells: the longest piece that the vocabulary has, again and again. */
export function wordPiece(
  vocabulary: ReadonlyMap<string, number>,
  options: { unknown: string; prefix?: string; longestWord?: number },
): SpellingModel {
  const { unknown, prefix = '##', longestWord = 100 } = options;
  const library = new WordPiece({
    type: 'WordPiece',
    vocab: Object.fromEntries(vocabulary),
    unk_token: unknown,
    continuing_subword_prefix: prefix,
    max_input_chars_per_word: longestWord,
  });
  return {
    vocabulary,
    spell: words =>
      library.encode([...words]).map(token => {
        const id = vocabulary.get(token);
        if (id === undefined) throw noUnknown(unknown);
        return id;
      }),
  };
}

/** Byte-pair encoding; without an unknown token, what cannot be spelt is dropped. */
export function bytePairs(
  vocabulary: ReadonlyMap<string, number>,
  merges: [string, string][],
  options: {
    unknown?: string | undefined;
    fuseUnknown?: boolean;
    byteFallback?: boolean;
    ignoreMerges?: boolean;
  } = {},
): SpellingModel {
  const { unknown, fuseUnknown = false } = options;
  const library = new BPE({
    type: 'BPE',
    vocab: Object.fromEntries(vocabulary),
    merges,
    ...(unknown === undefined ? {} : { unk_token: unknown }),
    byte_fallback: options.byteFallback ?? false,
    ignore_merges: options.ignoreMerges ?? false,
  });
  const unknownId = unknown === undefined ? undefined : vocabulary.get(unknown);
  function spellWord(word: string): number[] {
    const ids = library.encode([word]).map(token => {
      const id = vocabulary.get(token);
      if (id === undefined) throw noUnknown(token);
      return id;
    });
    // The library fuses across words, too.
    return fuseUnknown ? ids.filter((id, index) => id !== unknownId || ids[index - 1] !== id) : ids;
  }
  return { vocabulary, spell: words => words.flatMap(spellWord) };
}

/** The fields of `model` in tokenizer.json. */
export function modelFields(json: Record<string, unknown>): {
  type: string;
  fields: Record<string, unknown>;
} {
  const fields = json['model'];
  if (!isRecord(fields)) {
    throw new CorruptFileError('tokenizer.json cannot be used: it has no "model".', repair);
  }
  const { type } = fields;
  if (typeof type === 'string') return { type, fields };
  // Files of old have no type.
  if (Array.isArray(fields['vocab'])) return { type: 'Unigram', fields };
  return { type: 'merges' in fields ? 'BPE' : 'WordPiece', fields };
}

/** A setting of the model that would change ids and that cannot be done here. */
function refuse(fields: Record<string, unknown>, name: string): void {
  const value = fields[name];
  if (value === undefined || value === null || value === '' || value === 0) return;
  throw new UnsupportedError(
    `The tokenizer's model sets ${JSON.stringify(name)} to ${shortJson(value, 80)}, which is not supported.`,
    'Use a checkpoint with the tokenizer of BERT, RoBERTa or GPT-2.',
  );
}

/** The `model` of tokenizer.json as it stands there. */
export function parseModel(json: Record<string, unknown>): SpellingModel {
  const { type, fields } = modelFields(json);
  const where = 'tokenizer.json';
  const text = (name: string): string | undefined => {
    const value = fields[name] ?? undefined;
    if (value !== undefined && typeof value !== 'string') throw malformed(name);
    return value;
  };
  const flag = (name: string): boolean => {
    const value = fields[name] ?? false;
    if (typeof value !== 'boolean') throw malformed(name);
    return value;
  };
  const malformed = (name: string): CorruptFileError =>
    new CorruptFileError(`The model in ${where} has no usable ${JSON.stringify(name)}.`, repair);
  if (type === 'WordPiece') {
    const longestWord = fields['max_input_chars_per_word'] ?? 100;
    if (typeof longestWord !== 'number' || !Number.isInteger(longestWord) || longestWord < 0) {
      throw malformed('max_input_chars_per_word');
    }
    return wordPiece(parseVocabulary(fields['vocab'], where), {
      unknown: text('unk_token') ?? '[UNK]',
      prefix: text('continuing_subword_prefix') ?? '##',
      longestWord,
    });
  }
  if (type === 'BPE') {
    for (const name of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
      refuse(fields, name);
    }
    return bytePairs(
      parseVocabulary(fields['vocab'], where),
      parseMerges(fields['merges'], where),
      {
        unknown: text('unk_token'),
        fuseUnknown: flag('fuse_unk'),
        byteFallback: flag('byte_fallback'),
        ignoreMerges: flag('ignore_merges'),
      },
    );
  }
  if (type === 'Unigram') {
    const pieces = parsePieces(fields['vocab'], where);
    const id = fields['unk_id'] ?? undefined;
    if (id !== undefined && !(Number.isInteger(id) && pieces[id as number])) {
      throw malformed('unk_id');
    }
    return unigram(pieces, {
      unknownId: id as number | undefined,
      byteFallback: flag('byte_fallback'),
    });
  }
  throw new UnsupportedError(
    `The tokenizer's model ${JSON.stringify(type)} is not supported.`,
    'Use a checkpoint whose tokenizer has a WordPiece, BPE or Unigram model.',
  );
}
