import { CorruptFileError } from '../../errors';
import { noUnknown, type SpellingModel } from './spelling';

/** A piece of a Unigram vocabulary with the logarithm of its probability; its id is its place. */
export type ScoredPiece = readonly [piece: string, score: number];

/** Characters of a piece; SentencePiece makes none of more than 16 unless it is asked to. */
const longestPiece = 512;

/** The pieces of a Unigram model as JSON has them. */
export function parsePieces(value: unknown, where: string): ScoredPiece[] {
  const problem = (what: string): CorruptFileError =>
    new CorruptFileError(`${where} ${what}.`, 'Download the file again.');
  if (!Array.isArray(value) || value.length === 0) throw problem('has no list of pieces');
  return value.map((entry: unknown) => {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof piece !== 'string' || typeof score !== 'number') {
      throw problem('does not give every piece a number');
    }
    if (piece.length > longestPiece) {
      throw problem(`has a piece of ${piece.length} characters, which no vocabulary has`);
    }
    return [piece, score] as const;
  });
}

/** How much less likely than the least likely piece a character is that no piece has (SentencePiece). */
const unknownPenalty = 10;

const encoder = new TextEncoder();
const byteNames: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

/** The likeliest way to a place in a word. */
interface Way {
  readonly score: number;
  /** Where its last piece begins. */
  readonly begin: number;
  /** Undefined for a character that no piece has. */
  readonly id: number | undefined;
}

/**
 * Unigram (Kudo 2018): the likeliest way to spell a word by pieces. Characters in a row that no piece has
 * are one unknown token, or their bytes where `byteFallback` says so and the vocabulary has all of them.
 * The library's keeps a map for every letter of its trie: 700 MB for the 250,000 pieces of XLM-RoBERTa.
 */
export function unigram(
  pieces: readonly ScoredPiece[],
  { unknownId, byteFallback = false }: { unknownId: number | undefined; byteFallback?: boolean },
): SpellingModel {
  const vocabulary = new Map(pieces.map(([piece], id) => [piece, id]));
  const longest = pieces.reduce((most, [piece]) => Math.max(most, piece.length), 0);
  const least = pieces.reduce((lowest, [, score]) => Math.min(lowest, score), Infinity);

  const waysTo = (letters: readonly string[]): readonly Way[] => {
    const ways: Way[] = [{ score: 0, begin: 0, id: undefined }];
    const offer = (end: number, way: Way): void => {
      const known = ways[end];
      if (!known || way.score > known.score) ways[end] = way;
    };
    letters.forEach((letter, begin) => {
      const { score } = ways[begin]!;
      let text = '';
      for (let end = begin; end < letters.length && text.length < longest; end++) {
        text += letters[end]!;
        const id = vocabulary.get(text);
        if (id !== undefined) offer(end + 1, { score: score + pieces[id]![1], begin, id });
      }
      if (vocabulary.has(letter)) return;
      offer(begin + 1, { score: score + least - unknownPenalty, begin, id: undefined });
    });
    return ways;
  };

  /** The ids of characters that are unknown together. */
  const unknown = (text: string): number[] => {
    const known = vocabulary.get(text);
    if (known !== undefined) return [known];
    const names = byteFallback ? Array.from(encoder.encode(text), byte => byteNames[byte]!) : [];
    const ids = names.flatMap(name => vocabulary.get(name) ?? []);
    if (byteFallback && ids.length === names.length) return ids;
    if (unknownId === undefined) throw noUnknown('unk_id');
    return [unknownId];
  };

  function spellWord(word: string): number[] {
    const letters = Array.from(word);
    const ways = waysTo(letters);
    const found: number[][] = [];
    let end = letters.length;
    /** Where unknown characters end that go on before. */
    let open: number | undefined;
    const close = (begin: number): void => {
      if (open !== undefined) found.push(unknown(letters.slice(begin, open).join('')));
      open = undefined;
    };
    while (end > 0) {
      const { begin, id } = ways[end]!;
      if (id === undefined || id === unknownId) open ??= end;
      else {
        close(end);
        found.push([id]);
      }
      end = begin;
    }
    close(0);
    return found.reverse().flat();
  }
  return { vocabulary, spell: words => words.flatMap(spellWord) };
}
