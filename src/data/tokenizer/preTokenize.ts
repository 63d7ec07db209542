import { flatParts, type Part } from './parts';
import { parsePattern, type PatternWatch } from './patterns';
import type { Place } from './place';
import { behaviors, splitBy } from './splitBy';
import { punctuation, whiteSpace, wordCharacters } from './unicode';

/** Text cut into the words that the model spells one by one. */
export type PreTokenizer = (text: string, place?: Place) => string[];

const bertWords = new RegExp(`[^${whiteSpace}${punctuation}]+|[${punctuation}]`, 'gu');
const words = new RegExp(`[${wordCharacters}]+|[^${wordCharacters}${whiteSpace}]+`, 'gu');
const visible = new RegExp(`[^${whiteSpace}]+`, 'gu');
const punctuationMark = new RegExp(`[${punctuation}]`, 'gu');
const digit = /\p{N}/gu;
const gpt2Words = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${whiteSpace}\\p{L}\\p{N}]+|[${whiteSpace}]+(?![^${whiteSpace}])|[${whiteSpace}]+`,
  'gu',
);

/** GPT-2's letter for each byte: itself where it can be seen, else one from U+0100 on. */
const byteLetters: readonly string[] = (() => {
  const seen = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(seen(byte) ? byte : next++));
})();
const encoder = new TextEncoder();

function bytesOf(word: string): string {
  let letters = '';
  for (const byte of encoder.encode(word)) letters += byteLetters[byte]!;
  return letters;
}

function byteLevel(part: Part): PreTokenizer {
  const prefixed = part.flag('add_prefix_space', true);
  const split = part.flag('use_regex', true);
  return (text, place) => {
    const isPrefixed = prefixed && place !== 'continued' && !text.startsWith(' ');
    const spaced = isPrefixed ? ` ${text}` : text;
    return (split ? (spaced.match(gpt2Words) ?? []) : [spaced]).map(bytesOf);
  };
}

const schemes = ['first', 'always', 'never'] as const;

/** SentencePiece's spaces, which stand in front of words; `split` cuts in front of each. */
function metaspace(part: Part): PreTokenizer {
  const mark = part.text('replacement', '▁');
  const usual = part.flag('add_prefix_space', true) ? 'always' : 'never';
  const scheme = part.choice('prepend_scheme', schemes, usual);
  const split = part.flag('split', true);
  const word = new RegExp(`${escaped(mark)}?[^${escaped(mark)}]*`, 'gu');
  const begins = (place: Place): boolean =>
    scheme === 'always' ? place !== 'continued' : scheme === 'first' && place === 'first';
  return (text, place = 'first') => {
    const marked = text.replaceAll(' ', mark);
    const whole = begins(place) && !marked.startsWith(mark) ? mark + marked : marked;
    return split ? (whole.match(word) ?? []).filter(piece => piece !== '') : [whole];
  };
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const all =
  (expression: RegExp): PreTokenizer =>
  text =>
    text.match(expression) ?? [];

function preTokenizerOf(part: Part, watch: PatternWatch): PreTokenizer {
  switch (part.type) {
    case 'BertPreTokenizer':
      return all(bertWords);
    case 'ByteLevel':
      return byteLevel(part);
    case 'Metaspace':
      return metaspace(part);
    case 'Whitespace':
      return all(words);
    case 'WhitespaceSplit':
      return all(visible);
    case 'CharDelimiterSplit': {
      const delimiter = part.text('delimiter');
      return text => text.split(delimiter).filter(word => word !== '');
    }
    case 'Punctuation': {
      const behavior = part.choice('behavior', behaviors, 'Isolated');
      return text => splitBy(text, punctuationMark, behavior);
    }
    case 'Digits': {
      const behavior = part.flag('individual_digits', false) ? 'Isolated' : 'Contiguous';
      return text => splitBy(text, digit, behavior);
    }
    case 'Split': {
      const { run } = parsePattern(part.get('pattern'), watch);
      const behavior = part.choice('behavior', behaviors);
      const invert = part.flag('invert', false);
      return text => run(expression => splitBy(text, expression, behavior, invert));
    }
    default:
      throw part.unsupported();
  }
}

/**
 * The `pre_tokenizer` of tokenizer.json.
 * @throws UnsupportedError for a kind that cannot be done exactly, CorruptFileError for a malformed one
 */
export function parsePreTokenizer(value: unknown, watch: PatternWatch): PreTokenizer {
  const steps = flatParts(value, 'pre-tokenizer', 'pretokenizers').map(part =>
    preTokenizerOf(part, watch),
  );
  return (text, place) => {
    let pieces = text === '' ? [] : [text];
    steps.forEach((step, number) => {
      // Steps before would have cut the whole text here too.
      const begins = number > 0 && place === 'continued' ? 'later' : place;
      pieces = pieces.flatMap((piece, index) => step(piece, index === 0 ? begins : 'later'));
    });
    return pieces;
  };
}
