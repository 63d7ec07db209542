import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { CorruptFileError } from '../../errors';
import { isRecord } from '../jsonFiles';

/** Tells which pattern is being matched, for whoever has to stop it; see `run`. */
export interface PatternWatch {
  /** The pattern that runs now; undefined when it is done. */
  set(pattern: string | undefined): void;
}

/** An untrusted pattern of tokenizer.json. It may take for ever: only a thread may run it. */
export interface Pattern {
  /** As the file writes it. */
  readonly source: string;
  readonly expression: RegExp;
  /** Does something that matches the expression, with the watch told. */
  run<Result>(match: (expression: RegExp) => Result): Result;
}

/** The pattern in a `pattern` of tokenizer.json: `{"Regex": …}` in Oniguruma's syntax, or `{"String": …}`. */
export function parsePattern(value: unknown, watch: PatternWatch): Pattern {
  const text = isRecord(value) ? (value['Regex'] ?? value['String']) : undefined;
  if (!isRecord(value) || typeof text !== 'string') {
    throw new CorruptFileError(
      'A pattern in tokenizer.json is neither {"Regex": …} nor {"String": …}.',
      'Download tokenizer.json again.',
    );
  }
  const inner = typeof value['Regex'] === 'string' ? { Regex: text } : { String: text };
  let expression: RegExp | null;
  try {
    // The library rewrites Oniguruma's syntax into JavaScript's.
    expression = new SplitPreTokenizer({ type: 'Split', pattern: inner, behavior: 'Isolated' })
      .pattern;
  } catch (cause) {
    throw unusable(text, cause);
  }
  if (expression === null) throw unusable(text);
  const made = expression;
  return {
    source: text,
    expression: made,
    run(match) {
      watch.set(text);
      try {
        return match(made);
      } catch (cause) {
        // Backtracking can exhaust the stack of the regular expression engine.
        if (cause instanceof RangeError) throw tooCostly(text, 'needs more memory than there is');
        throw cause;
      } finally {
        watch.set(undefined);
      }
    },
  };
}

/**
 * Whether a match of nothing lies within a surrogate pair, where JavaScript's engine finds some that
 * the standard excludes: those of a pattern that only looks ahead.
 */
export function isWithinPair(text: string, index: number, match: string): boolean {
  const isLow = (text.charCodeAt(index) & 0xfc00) === 0xdc00;
  return match === '' && isLow && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800;
}

/** A pattern as a message shows it. */
function quoted(pattern: string): string {
  return JSON.stringify(pattern.length > 80 ? `${pattern.slice(0, 79)}…` : pattern);
}

function unusable(pattern: string, cause?: unknown): CorruptFileError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new CorruptFileError(
    `The pattern ${quoted(pattern)} in tokenizer.json cannot be read${reason}`,
    'Take the tokenizer.json of the original checkpoint.',
    { cause },
  );
}

/** The error of a pattern that was given up. */
export function tooCostly(pattern: string, problem: string): CorruptFileError {
  return new CorruptFileError(
    `The pattern ${quoted(pattern)} in tokenizer.json ${problem}.`,
    'It is broken or hostile: take the tokenizer.json of the original checkpoint.',
  );
}
