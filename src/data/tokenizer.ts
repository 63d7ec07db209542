import { Tokenizer } from '@huggingface/tokenizers';
import { CorruptFileError, UserError } from '../errors';
import { readJson } from './jsonFiles';
import { legacyTokenizerJson } from './legacyTokenizer';

/** The roles a token can play for a model; RoBERTa's `<s>` and `</s>` are cls and sep as well. */
export const specialRoles = ['cls', 'sep', 'mask', 'pad', 'unk', 'bos', 'eos'] as const;
export type SpecialRole = (typeof specialRoles)[number];

/** What the batches need of a tokenizer: text to ids, and which ids are not text. */
export interface TextTokenizer {
  /** The ids of a text, without the special tokens that a model puts around it. */
  encode(text: string): Int32Array;
  /** One more than the largest id, which is the least `vocab_size` a model of it can have. */
  readonly vocabularySize: number;
  readonly special: Readonly<Partial<Record<SpecialRole, number>>>;
  /** The ids that stand for no text: never masked, never put in as a random token. */
  readonly specialIds: ReadonlySet<number>;
}

/** Far above any published vocabulary; a larger id is a defect that would exhaust the memory. */
const largestVocabulary = 16_777_216;

/** What each role is called where the checkpoint does not say. */
const customaryTokens: Readonly<Record<SpecialRole, readonly string[]>> = {
  cls: ['[CLS]'],
  sep: ['[SEP]'],
  mask: ['[MASK]', '<mask>'],
  pad: ['[PAD]', '<pad>'],
  unk: ['[UNK]', '<unk>'],
  bos: ['<s>', '<|endoftext|>'],
  eos: ['</s>', '<|endoftext|>'],
};

/** A token as the JSON files write it: its text, or an object that has it as `content`. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'content' in value) {
    return tokenText(value.content);
  }
  return undefined;
}

function namedTokens(
  ...sources: readonly (Record<string, unknown> | undefined)[]
): Partial<Record<SpecialRole, string>> {
  const named: Partial<Record<SpecialRole, string>> = {};
  for (const role of specialRoles) {
    for (const source of sources) {
      const text = tokenText(source?.[`${role}_token`]);
      if (text !== undefined) named[role] ??= text;
    }
  }
  return named;
}

function specialTokens(
  tokenizer: Tokenizer,
  named: Partial<Record<SpecialRole, string>>,
): Partial<Record<SpecialRole, number>> {
  const special: Partial<Record<SpecialRole, number>> = {};
  for (const role of specialRoles) {
    const name = named[role];
    for (const candidate of name === undefined ? customaryTokens[role] : [name]) {
      const id = tokenizer.token_to_id(candidate);
      if (id !== undefined) special[role] ??= id;
    }
  }
  // RoBERTa wraps in its bos and eos; a masked model's `<s>` is always meant so.
  if (tokenizer.token_to_id('<mask>') !== undefined) {
    const [start, end] = [tokenizer.token_to_id('<s>'), tokenizer.token_to_id('</s>')];
    if (start !== undefined) special.cls ??= start;
    if (end !== undefined) special.sep ??= end;
  }
  return special;
}

/**
 * Opens the checkpoint's own tokenizer, so that training sees the ids the model was trained on.
 * Reads `tokenizer.json`, or makes it from BERT's `vocab.txt` or GPT-2's `vocab.json` and
 * `merges.txt`; special tokens from `tokenizer_config.json` and `special_tokens_map.json`.
 * @throws UserError when there is none or an unsupported one, CorruptFileError when it is malformed
 */
export async function loadTokenizer(directory: string): Promise<TextTokenizer> {
  const config = await readJson(directory, 'tokenizer_config.json');
  const named = namedTokens(config, await readJson(directory, 'special_tokens_map.json'));
  const json =
    (await readJson(directory, 'tokenizer.json')) ??
    (await legacyTokenizerJson(directory, config ?? {}, named));
  let tokenizer: Tokenizer;
  try {
    // The library insists on keys that the format lets a file leave out.
    const optional = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
    tokenizer = new Tokenizer({ ...optional, added_tokens: [], ...json }, config ?? {});
  } catch (cause) {
    throw new CorruptFileError(
      `The tokenizer in ${directory} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Save it again with a current version of transformers: AutoTokenizer.from_pretrained(…).save_pretrained(…).',
      { cause },
    );
  }
  const vocabularySize = tokenizer.model?.vocab.length ?? 0;
  if (vocabularySize === 0 || vocabularySize > largestVocabulary) {
    throw new CorruptFileError(
      `The tokenizer in ${directory} has ids up to ${vocabularySize - 1}, which no vocabulary has.`,
      'Download the checkpoint again, or take another tokenizer.json.',
    );
  }
  const special = specialTokens(tokenizer, named);
  const specialIds = new Set<number>(Object.values(special));
  for (const [id, token] of tokenizer.get_added_tokens_decoder()) {
    if (token.special) specialIds.add(id);
  }
  return {
    vocabularySize,
    special,
    specialIds,
    encode(text) {
      const { ids } = tokenizer.encode(text, { add_special_tokens: false });
      // A vocabulary without an unknown token drops what it cannot spell; the library leaves a hole.
      return Int32Array.from(ids.every(Number.isInteger) ? ids : ids.filter(Number.isInteger));
    },
  };
}

/** The tokenizer's mask, which masked language modelling cannot do without. */
export function requireMask(tokenizer: TextTokenizer): number {
  const mask = tokenizer.special.mask;
  if (mask === undefined) {
    throw new UserError(
      'The tokenizer has no mask token, so this model cannot be trained on masked text.',
      'Name it as "mask_token" in tokenizer_config.json if it has one; a model that predicts the next token needs none.',
    );
  }
  return mask;
}
