import { CorruptFileError } from '../../../../errors';

/** Most ways to part tokens in two that are looked at; 260,000 tokens have two million. */
const MAX_PARTINGS = 5_000_000;

/**
 * The merges that a vocabulary implies, best first: each token out of each two that make it.
 * @param scores of the tokens: the higher, the earlier it is merged
 * @throws CorruptFileError when the tokens are far longer than words
 */
export function impliedMerges(
  vocabulary: ReadonlyMap<string, number>,
  scores: ReadonlyMap<string, number>,
): [string, string][] {
  const found: Merge[] = [];
  let partings = 0;
  for (const [token, score] of scores) {
    const characters = Array.from(token);
    partings += characters.length;
    if (partings > MAX_PARTINGS) throw tooLong();
    const own: (Merge & { readonly ids: readonly [number, number] })[] = [];
    let left = '';
    for (let length = 1; length < characters.length; length++) {
      left += characters[length - 1]!;
      const right = token.slice(left.length);
      const ids = [vocabulary.get(left), vocabulary.get(right)] as const;
      if (ids[0] === undefined || ids[1] === undefined) continue;
      const lengths = [length, characters.length - length] as const;
      own.push({ pair: [left, right], score, lengths, ids: [ids[0], ids[1]] });
    }
    found.push(...own.sort((a, b) => a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]));
  }
  return found
    .sort((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1])
    .map(({ pair }) => pair);
}

interface Merge {
  readonly pair: [string, string];
  readonly score: number;
  /** Characters of both. */
  readonly lengths: readonly [number, number];
}

const tooLong = (): CorruptFileError =>
  new CorruptFileError(
    'The tokens in the metadata are far longer than words.',
    'Convert the model anew with a current version of llama.cpp.',
  );
