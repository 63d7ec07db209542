import { CorruptFileError } from '../../errors';

/** What a map of characters makes of a text, or undefined where it says nothing of it. */
export type CharacterMap = (text: string) => string | undefined;

const damaged = (what: string): CorruptFileError =>
  new CorruptFileError(
    `The normalizer "Precompiled" in tokenizer.json ${what}.`,
    'Take the tokenizer.json of the original checkpoint.',
  );

// A unit of the trie (Yata's Darts-clone, which SentencePiece compiles to), by its bits.
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const labelOf = (unit: number): number => unit & 0x8000_00ff;
const valueOf = (unit: number): number => unit & 0x7fff_ffff;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

/**
 * SentencePiece's compiled map of characters, as base64: the length of a double-array trie in bytes, the
 * trie (little-endian 32-bit units), and the texts that its values point to, each with a zero behind it.
 * As tokenizers does (`spm_precompiled`), the shortest beginning of a text that the map knows decides.
 * @throws CorruptFileError when the parts do not fit
 */
export function characterMap(base64: string): CharacterMap {
  const bytes = Buffer.from(base64, 'base64');
  const length = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (length === 0 || length % 4 !== 0 || 4 + length > bytes.length) {
    throw damaged('has no whole map of characters');
  }
  const units = Int32Array.from({ length: length / 4 }, (_, unit) =>
    bytes.readInt32LE(4 + 4 * unit),
  );
  const texts = bytes.subarray(4 + length);
  const textAt = (start: number): string => {
    const end = texts.indexOf(0, start);
    return texts.toString('utf8', start, end < 0 ? texts.length : end);
  };
  return text => {
    let at = offsetOf(units[0]!);
    for (const byte of Buffer.from(text, 'utf8')) {
      at ^= byte;
      const unit = units[at];
      if (byte === 0 || unit === undefined || labelOf(unit) !== byte) return undefined;
      at ^= offsetOf(unit);
      if (hasLeaf(unit)) return textAt(valueOf(units[at] ?? 0));
    }
    return undefined;
  };
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Longer ones are mapped character by character. */
const longestGrapheme = 6;
/** Characters of ASCII that stand alone, since another or nothing follows them. */
const alone = /[ -~]+(?=[ -~]|$)/g;

/** What a normalizer of such a map makes of a text: each of its graphemes, or each character of one, mapped. */
export function mapping(map: CharacterMap): (text: string) => string {
  const ofCharacter = (character: string): string => map(character) ?? character;
  const ofGrapheme = (grapheme: string): string => {
    const isShort = Buffer.byteLength(grapheme) < longestGrapheme;
    return (isShort ? map(grapheme) : undefined) ?? Array.from(grapheme, ofCharacter).join('');
  };
  const segmented = (text: string): string =>
    Array.from(graphemes.segment(text), ({ segment }) => ofGrapheme(segment)).join('');
  const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
  const keepsAscii = ascii.every(character => ofCharacter(character) === character);
  const ofAlone = (run: string): string =>
    keepsAscii ? run : Array.from(run, ofCharacter).join('');
  return text => {
    const parts: string[] = [];
    let end = 0;
    for (const { 0: run, index } of text.matchAll(alone)) {
      if (index > end) parts.push(segmented(text.slice(end, index)));
      parts.push(ofAlone(run));
      end = index + run.length;
    }
    if (end < text.length) parts.push(segmented(text.slice(end)));
    return parts.join('');
  };
}
