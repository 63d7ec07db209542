import { CorruptFileError, UnsupportedError, UserError } from '../../errors';
import type { TokenizerDescription } from './open';
import type { Remedy } from '../../remedy/remedy';

/** What the thread is started with. */
export interface ThreadInput {
  readonly directory: string;
  /** Texts that stand in for files of it, by their names. */
  readonly companions: ReadonlyMap<string, string>;
  /** One cell: the number of the pattern that is being matched, 0 when none is. */
  readonly running: Int32Array<SharedArrayBuffer>;
}

/** To the thread: a text, or a piece that goes on from one before it. */
export interface TextMessage {
  readonly text: string;
  readonly place: 'first' | 'continued';
}

/** An error across threads. Those with a remedy are for people, the others are defects. */
export interface ThreadError {
  readonly kind: 'corrupt' | 'unsupported' | 'other';
  readonly message: string;
  readonly remedy?: Remedy | undefined;
}

/** From the thread: each text is answered by its ids or an error, in the order of the texts. */
export type ThreadMessage =
  | { readonly kind: 'pattern'; readonly number: number; readonly source: string }
  | { readonly kind: 'ready'; readonly description: TokenizerDescription }
  | { readonly kind: 'ids'; readonly ids: Int32Array }
  | { readonly kind: 'failed'; readonly error: ThreadError };

/** An error as it crosses. */
export function sent(error: unknown, directory: string): ThreadError {
  if (error instanceof RangeError) {
    // Texts, lists and stacks have an end, which only a file that was made for it reaches.
    return {
      kind: 'corrupt',
      message: `The tokenizer in ${directory} is nested too deeply or makes too much of a text: ${error.message}.`,
      remedy: 'It is broken or hostile: take the tokenizer files of the original checkpoint.',
    };
  }
  if (!(error instanceof UserError)) return { kind: 'other', message: String(error) };
  const { message, remedy } = error;
  if (error instanceof CorruptFileError) return { kind: 'corrupt', message, remedy };
  return { kind: error instanceof UnsupportedError ? 'unsupported' : 'other', message, remedy };
}

/** The error on this side. */
export function restored({ kind, message, remedy }: ThreadError): Error {
  if (remedy === undefined) return new Error(`In the tokenizer: ${message}`);
  if (kind === 'corrupt') return new CorruptFileError(message, remedy);
  return kind === 'unsupported'
    ? new UnsupportedError(message, remedy)
    : new UserError(message, remedy);
}
