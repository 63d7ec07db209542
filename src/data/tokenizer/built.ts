import { CorruptFileError, UnsupportedError, type Note } from '../../errors';
import { shortJson } from '../../format';
import { isRecord } from '../jsonFiles';
import type { TokenizerKind } from './classes';
import { bytePairVocabulary, wordPieceVocabulary } from './legacyFiles';
import { bytePairs, modelFields, parseMerges, parseVocabulary, wordPiece } from './model';
import type { SpellingModel } from './spelling';
import { parsePieces, unigram } from './unigram';

/** The kinds that transformers builds anew from the vocabulary and tokenizer_config.json. */
export type BuiltKind = Exclude<TokenizerKind, 'plain'>;

/** What happens to text before the vocabulary spells it, as tokenizer.json writes it. */
export interface Steps {
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
}

/** A true or false of tokenizer_config.json. */
export function flag(config: Record<string, unknown>, name: string, fallback: boolean): boolean {
  const value = name in config ? config[name] : fallback;
  if (typeof value === 'boolean') return value;
  throw new CorruptFileError(
    `${JSON.stringify(name)} in tokenizer_config.json is ${shortJson(value, 80)}, neither true nor false.`,
    'Repair the file, or leave the field out.',
  );
}

/** The same where null says as much as nothing. */
const orUsual = (config: Record<string, unknown>, name: string, fallback: boolean): boolean =>
  (config[name] ?? undefined) === undefined ? fallback : flag(config, name, fallback);

/** The map of characters in tokenizer.json, alone or in a sequence, which is kept. */
function precompiledIn(json: Record<string, unknown> | undefined): unknown {
  const normalizer = json?.['normalizer'];
  const inSequence = isRecord(normalizer) ? normalizer['normalizers'] : undefined;
  const all: unknown[] = Array.isArray(inSequence) ? inSequence : [normalizer];
  return all.find(part => isRecord(part) && part['type'] === 'Precompiled') ?? null;
}

/** What transformers builds for a kind out of tokenizer_config.json. */
export function builtSteps(
  kind: BuiltKind,
  config: Record<string, unknown>,
  json: Record<string, unknown> | undefined,
): Steps {
  if (kind === 'bert') {
    const accents = config['strip_accents'] ?? null;
    return {
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: flag(config, 'tokenize_chinese_chars', true),
        strip_accents: accents === null ? null : flag(config, 'strip_accents', true),
        lowercase: flag(config, 'do_lower_case', true),
      },
      preTokenizer: { type: 'BertPreTokenizer' },
    };
  }
  if (kind === 'llama') {
    const first = orUsual(config, 'legacy', false) ? 'always' : 'first';
    const scheme = orUsual(config, 'add_prefix_space', true) ? first : 'never';
    const preTokenizer = {
      type: 'Metaspace',
      replacement: '▁',
      prepend_scheme: scheme,
      split: false,
    };
    return { normalizer: null, preTokenizer };
  }
  if (isUnigram(kind)) {
    const scheme = flag(config, 'add_prefix_space', true) ? 'always' : 'never';
    return {
      normalizer: precompiledIn(json),
      preTokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'WhitespaceSplit' },
          { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split: true },
        ],
      },
    };
  }
  if (kind === 'gemma') {
    const space = { String: ' ' };
    return {
      normalizer: { type: 'Replace', pattern: space, content: '▁' },
      preTokenizer: {
        type: 'Split',
        pattern: space,
        behavior: 'MergedWithPrevious',
        invert: false,
      },
    };
  }
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: flag(config, 'add_prefix_space', false),
    trim_offsets: true,
  };
  if (kind === 'qwen2') {
    const words = { type: 'Split', pattern: { Regex: qwen2Words }, behavior: 'Isolated' };
    return {
      normalizer: { type: 'NFC' },
      preTokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { ...words, invert: false },
          { ...byteLevel, use_regex: false },
        ],
      },
    };
  }
  const normalizer = kind === 'gpt_neox' ? { type: 'NFC' } : null;
  return { normalizer, preTokenizer: { ...byteLevel, use_regex: true } };
}

/** Kinds whose vocabulary is one of pieces with their probabilities. */
const isUnigram = (kind: BuiltKind): boolean => kind === 'camembert' || kind === 'xlm_roberta';

/** Qwen2Tokenizer's PRETOKENIZE_REGEX. */
const qwen2Words =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** What the fields of a part mean where a file leaves them out. */
const usualFields: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  BertNormalizer: { clean_text: true, handle_chinese_chars: true, lowercase: true },
  ByteLevel: { add_prefix_space: true, use_regex: true },
};

/** A part of tokenizer.json as one text, the same for all that mean the same. */
function meaning(part: unknown): string {
  if (!isRecord(part)) return JSON.stringify(part ?? null);
  const fields: Record<string, unknown> = { ...usualFields[String(part['type'])], ...part };
  if (fields['type'] === 'BertNormalizer') fields['strip_accents'] ??= fields['lowercase'];
  // Where tokens lie in the text is nobody's business here.
  delete fields['trim_offsets'];
  return JSON.stringify(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Fields of `model` in tokenizer.json with what transformers builds in their place. */
const builtFields: Readonly<Record<BuiltKind, Readonly<Record<string, unknown>>>> = {
  bert: { continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
  roberta: bytePairFields(),
  camembert: { byte_fallback: false },
  xlm_roberta: { byte_fallback: false, unk_id: 3 },
  gpt2: bytePairFields(),
  gpt_neox: bytePairFields(),
  qwen2: bytePairFields(),
  llama: { ...bytePairFields(), byte_fallback: true, fuse_unk: true },
  gemma: { ...bytePairFields(), unk_token: '<unk>', byte_fallback: true, fuse_unk: true },
};

function bytePairFields(): Record<string, unknown> {
  return {
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: '',
    end_of_word_suffix: '',
    byte_fallback: false,
    ignore_merges: false,
  };
}

/** What tokenizer.json says and transformers does not follow. */
export function notFollowed(
  kind: BuiltKind,
  name: string,
  json: Record<string, unknown>,
  steps: Steps,
): Note[] {
  const model = isRecord(json['model']) ? json['model'] : {};
  const settings = Object.entries(builtFields[kind]).flatMap(([field, built]) => {
    const theirs = model[field] ?? null;
    const none = theirs === null || theirs === '';
    return none || theirs === built ? [] : [`setting ${JSON.stringify(field)} of the model`];
  });
  const parts = [
    ...(meaning(json['normalizer']) === meaning(steps.normalizer) ? [] : ['normalizer']),
    ...(meaning(json['pre_tokenizer']) === meaning(steps.preTokenizer) ? [] : ['pre-tokenizer']),
    ...settings,
  ];
  return parts.map(what => ({
    message: `The ${what} in tokenizer.json is not used: as in transformers, ${name} makes its own from tokenizer_config.json.`,
    remedy:
      'Name PreTrainedTokenizerFast as "tokenizer_class" if tokenizer.json is to be followed as it stands.',
  }));
}

/** The vocabulary of a kind, from tokenizer.json or the older files. */
export async function builtModel(
  directory: string,
  kind: BuiltKind,
  name: string,
  json: Record<string, unknown> | undefined,
  unknown: string,
): Promise<SpellingModel> {
  const wanted = kind === 'bert' ? 'WordPiece' : isUnigram(kind) ? 'Unigram' : 'BPE';
  if (!json) {
    if (kind === 'bert') {
      return wordPiece((await wordPieceVocabulary(directory)).vocabulary, { unknown });
    }
    const { vocabulary, merges = [] } = await bytePairVocabulary(directory);
    return bytePairs(vocabulary, merges, bytePairOptions(kind));
  }
  const { type, fields } = modelFields(json);
  if (type !== wanted) {
    throw new UnsupportedError(
      `tokenizer.json has a ${JSON.stringify(type)} model, but the tokenizer is declared as ${name}, which is ${wanted}.`,
      'Take the tokenizer.json of the original checkpoint, or correct "tokenizer_class".',
    );
  }
  if (isUnigram(kind)) {
    const pieces = parsePieces(fields['vocab'], 'tokenizer.json');
    const found = pieces.findIndex(([piece]) => piece === unknown);
    const unknownId = kind === 'xlm_roberta' ? 3 : Math.max(0, found);
    if (!pieces[unknownId]) throw noPieceAt(unknownId);
    return unigram(pieces, { unknownId });
  }
  const vocabulary = parseVocabulary(fields['vocab'], 'tokenizer.json');
  return kind === 'bert'
    ? wordPiece(vocabulary, { unknown })
    : bytePairs(vocabulary, parseMerges(fields['merges'], 'tokenizer.json'), bytePairOptions(kind));
}

const noPieceAt = (id: number): CorruptFileError =>
  new CorruptFileError(
    `tokenizer.json has no piece ${id}, which stands for what is unknown.`,
    'Take the tokenizer.json of the original checkpoint.',
  );

/** Llama and Gemma spell what is not in their vocabularies by bytes. */
const bytePairOptions = (kind: BuiltKind): Parameters<typeof bytePairs>[2] =>
  kind === 'llama' || kind === 'gemma' ? { byteFallback: true } : {};
