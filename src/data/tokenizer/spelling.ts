import { CorruptFileError } from '../../errors';

/** Spells words with the vocabulary. */
export interface SpellingModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  /** The ids of the words, one after another. */
  spell(words: readonly string[]): number[];
}

/** For `spell`: the unknown token is not there either. */
export const noUnknown = (token: string): CorruptFileError =>
  new CorruptFileError(
    `The text has a word that the vocabulary cannot spell, and the tokenizer's unknown token ${JSON.stringify(token)} is not in it.`,
    'Name a token of the vocabulary as "unk_token" in tokenizer_config.json.',
  );
