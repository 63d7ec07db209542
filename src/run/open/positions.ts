import type { Architecture } from '../../architecture';
import type { Batch, BatchSource } from '../../data/batches';
import type { TextTokenizer } from '../../data/tokenizer';
import type { Note } from '../../errors';
import { shortJson } from '../../format';
import { positionIdsName } from '../../training';

/** The batches with the positions of their tokens, for a model whose positions depend on the tokens. */
export function withPositions(
  { positionIds }: Architecture,
  batches: BatchSource,
  sequenceLength: number,
): BatchSource {
  if (!positionIds) return batches;
  const add = (batch: Batch): Batch => ({
    ...batch,
    [positionIdsName]: positionIds(batch['input_ids']!, sequenceLength),
  });
  return {
    ...batches,
    train: async step => add(await batches.train(step)),
    evaluate: async index => add(await batches.evaluate(index)),
  };
}

/** Says so when positions are counted without tokens that do not pad this tokenizer's text. */
export function notesOnPadding(
  { positionIds, config }: Architecture,
  { special }: Pick<TextTokenizer, 'special'>,
): Note[] {
  const id = config['pad_token_id'] ?? 1;
  if (!positionIds || id === -1 || special.pad === id) return [];
  const other = special.pad === undefined ? 'has none' : `pads with ${special.pad}`;
  return [
    {
      message: `config.json's pad_token_id is ${shortJson(id)}, but the tokenizer ${other}: where text has token ${shortJson(id)}, it takes no position of its own, as in transformers.`,
      remedy: 'Check that config.json and the tokenizer are those that the model was trained with.',
    },
  ];
}
