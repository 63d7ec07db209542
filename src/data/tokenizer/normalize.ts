import { CorruptFileError } from '../../errors';
import { flatParts, type Part } from './parts';
import { isWithinPair, parsePattern, type Pattern, type PatternWatch } from './patterns';
import type { Place } from './place';
import { characterMap, mapping } from './precompiled';
import { lowerCase, whiteSpace } from './unicode';

/** Text as the vocabulary spells it: cleaned, lower-cased, decomposed. */
export type Normalizer = (text: string, place?: Place) => string;

/** Text comes in pieces of some thousand characters; what makes a million of one is no normalizer. */
const longestResult = 1_048_576;

const controls = /[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;
const spaces = new RegExp(`[${whiteSpace}]`, 'gu');
const leading = new RegExp(`^[${whiteSpace}]+`, 'u');
const trailing = new RegExp(`[${whiteSpace}]+$`, 'u');
const ideographs =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** BERT's own: the order and the characters of tokenizers' BertNormalizer, not of the JavaScript port. */
function bertNormalizer(part: Part): Normalizer {
  const clean = part.flag('clean_text', true);
  const spaced = part.flag('handle_chinese_chars', true);
  const lower = part.flag('lowercase', true);
  const strip = part.flag('strip_accents', lower);
  return text => {
    let result = text;
    if (clean) result = result.replace(controls, '').replace(spaces, ' ');
    if (spaced) result = result.replace(ideographs, ' $& ');
    if (strip) result = result.normalize('NFD').replace(/\p{Mn}/gu, '');
    return lower ? lowerCase(result) : result;
  };
}

function replacer({ run, source }: Pattern, content: string): Normalizer {
  return text =>
    run(expression => {
      let length = text.length;
      return text.replace(expression, (match: string, ...rest: unknown[]) => {
        // Behind the groups that the pattern captures.
        const index = rest.find(value => typeof value === 'number')!;
        if (isWithinPair(text, index, match)) return match;
        length += content.length;
        checkLength(length, text, source);
        return content;
      });
    });
}

/** @throws CorruptFileError when a normalizer makes far more of a text than it was given */
function checkLength(length: number, text: string, what: string): void {
  if (length <= longestResult) return;
  throw new CorruptFileError(
    `The normalizer ${JSON.stringify(what.slice(0, 80))} in tokenizer.json makes more than ${longestResult} characters of ${text.length}.`,
    'It is broken or hostile: take the tokenizer.json of the original checkpoint.',
  );
}

function strip(part: Part): Normalizer {
  const left = part.flag('strip_left', false);
  const right = part.flag('strip_right', false);
  return text => {
    const begun = left ? text.replace(leading, '') : text;
    return right ? begun.replace(trailing, '') : begun;
  };
}

function normalizerOf(part: Part, watch: PatternWatch): Normalizer {
  switch (part.type) {
    case 'BertNormalizer':
      return bertNormalizer(part);
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = part.type;
      return text => text.normalize(form);
    }
    case 'Lowercase':
      return lowerCase;
    case 'StripAccents':
      return text => text.replace(/\p{M}/gu, '');
    case 'Strip':
      return strip(part);
    case 'Replace':
      return replacer(parsePattern(part.get('pattern'), watch), part.text('content'));
    case 'Precompiled':
      return mapping(characterMap(part.text('precompiled_charsmap')));
    case 'Prepend': {
      const prefix = part.text('prepend');
      return (text, place) => (text === '' || place === 'continued' ? text : prefix + text);
    }
    default:
      throw part.unsupported();
  }
}

/**
 * The `normalizer` of tokenizer.json.
 * @throws UnsupportedError for a kind that cannot be done exactly, CorruptFileError for a malformed one
 */
export function parseNormalizer(value: unknown, watch: PatternWatch): Normalizer {
  const all = flatParts(value, 'normalizer', 'normalizers').map(part => ({
    type: part.type,
    normalize: normalizerOf(part, watch),
  }));
  return (text, place) => {
    let result = text;
    for (const { type, normalize } of all) {
      result = normalize(result, place);
      checkLength(result.length, text, type);
    }
    return result;
  };
}
