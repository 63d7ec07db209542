import { UnsupportedError } from '../../errors';
import { counted } from '../../format';
import { gather, type Tensor } from '../../graph';
import type { ForwardInputs } from '../architecture';
import type { Lookup } from '../weights';

/** Rows `positions` of x, or all of them. */
export const selectRows = (x: Tensor, positions: Tensor | undefined): Tensor =>
  positions ? gather(x, positions) : x;

/** Throws where padded sequences would be computed in part: their mask has a place for every token. */
export function requireUnpadded({ attentionMask, partial }: ForwardInputs): void {
  if (attentionMask && partial) throw new Error('Padded sequences are computed as a whole');
}

/**
 * The lookups of word and position that every language model begins with. `firstPosition` is where
 * counting starts when no position ids are given. Throws UnsupportedError for sequences that the
 * position table does not reach.
 */
export function tokenLookups(
  inputs: ForwardInputs,
  longestSequence: number,
  firstPosition: number,
): Lookup[] {
  const { positionIds, sequenceLength } = inputs;
  const table = 'embeddings.position.weight';
  return [
    ...wordLookup(inputs, longestSequence),
    positionIds
      ? { table, rows: positionIds }
      : { table, start: firstPosition, count: sequenceLength },
  ];
}

/** The lookup of words. Throws UnsupportedError for sequences that the positions do not reach. */
export function wordLookup(
  { inputIds, sequenceLength }: ForwardInputs,
  longestSequence: number,
): Lookup[] {
  if (!inputIds) throw new Error('A language model reads inputIds');
  if (sequenceLength > longestSequence) {
    throw new UnsupportedError(
      `Sequences of ${sequenceLength} tokens do not fit: the model has positions for ${longestSequence}.`,
      `Use sequences of at most ${counted(longestSequence, 'token')}.`,
    );
  }
  return [{ table: 'embeddings.word.weight', rows: inputIds }];
}
