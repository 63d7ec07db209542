import type { Architecture } from '../../architecture';
import type { SmallFiles } from '../../data/jsonFiles';
import { readDeclaration } from '../../data/tokenizer/classes';
import type { TextTokenizer, TokenizerDescription } from '../../data/tokenizer';
import { UnsupportedError, UserError, type Note } from '../../errors';
import { by } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/**
 * Why a model's text cannot be read, as far as the small files beside it tell; undefined where
 * nothing speaks against it, and for models of images.
 */
export async function tokenizerProblem(
  { accepts }: Architecture,
  files: SmallFiles,
): Promise<Note | undefined> {
  if (accepts.kind !== 'tokens') return undefined;
  try {
    await readDeclaration(files);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { message: error.message, remedy: error.remedy };
  }
}

/** A tokenizer that gives no id a model has no embedding for, and what a person should know of it. */
export interface TokenizerWithin {
  readonly tokenizer: TextTokenizer;
  readonly notes: readonly Note[];
}

/**
 * Holds a tokenizer to the ids a model knows. Its vocabulary has to fit; of the tokens added to it
 * many published checkpoints have some, such as a [PAD] for fine-tuning, that the model never met:
 * they are harmless until the text has one.
 * @throws UnsupportedError when the vocabulary is larger than the model's
 */
export function tokenizerWithin(tokenizer: TextTokenizer, classes: number): TokenizerWithin {
  if (tokenizer.leastSize > classes) {
    throw new UnsupportedError(
      `The tokenizer knows ${tokenizer.leastSize} tokens, but the model has embeddings for ${classes}.`,
      'Use the tokenizer.json that belongs to this checkpoint.',
    );
  }
  const beyond = new Map(
    [...tokenizer.addedIds].filter(([, id]) => id >= classes).map(([text, id]) => [id, text]),
  );
  if (beyond.size === 0) return { tokenizer, notes: tokenizer.notes };

  const named = [...beyond.values()].slice(0, 3).map(text => JSON.stringify(text));
  const rest = beyond.size > named.length ? ` and ${beyond.size - named.length} more` : '';
  const note = {
    message: `The tokenizer adds ${named.join(', ')}${rest}, for which the model has no embedding.`,
    remedy: 'Text that has such a token is refused; nothing is to be done if yours has none.',
  };
  const within: TextTokenizer = {
    ...tokenizer,
    vocabularySize: Math.min(tokenizer.vocabularySize, classes),
    special: Object.fromEntries(Object.entries(tokenizer.special).filter(([, id]) => id < classes)),
    async encode(text, place) {
      const ids = await tokenizer.encode(text, place);
      const unknown = ids.find(id => id >= classes);
      if (unknown === undefined) return ids;
      throw new UnsupportedError(
        `The text has ${JSON.stringify(beyond.get(unknown) ?? '')}, which the tokenizer adds as token ${unknown}, but the model has embeddings for ${classes}.`,
        'Take it out of the text, or use a checkpoint whose embeddings were resized for it.',
      );
    },
  };
  return { tokenizer: within, notes: [...tokenizer.notes, note] };
}

/** What to say where sequences are framed by other tokens than transformers puts around a text. */
export function aroundNotes(
  { around, wrapping }: TokenizerDescription,
  masked: boolean,
): readonly Note[] {
  if (!masked) {
    if (around === '') return [];
    return [
      {
        message: `The tokenizer frames every text as ${around}, which text that runs on does not get.`,
        remedy: advise`Choose what stands between lines${by('lineSeparator')}, or write the tokens into the text.`,
      },
    ];
  }
  if (around === wrapping) return [];
  const own = around === '' ? 'frames no text' : `frames every text as ${around}`;
  const here = wrapping === '' ? 'as plain text' : `as ${wrapping}`;
  return [
    {
      message: `The tokenizer ${own}, but masked sequences are trained on ${here}.`,
      remedy: 'Correct the "post_processor" in tokenizer.json if the model was trained so.',
    },
  ];
}
