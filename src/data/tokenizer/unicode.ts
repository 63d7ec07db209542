/**
 * The classes of characters as the tokenizers library of Hugging Face has them, which differ from
 * JavaScript's `\s` (no U+0085, but U+FEFF) and `\w` (ASCII only). All are for use within [ ] with
 * the flag `u`.
 */
export const whiteSpace = '\\p{White_Space}';
export const punctuation = '\\p{P}!-\\/:-@\\[-`{-~';
export const wordCharacters = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';

/** Lower case character by character: no final sigma, which only whole words have. */
export function lowerCase(text: string): string {
  return text.replaceAll('\u03a3', '\u03c3').toLowerCase();
}
