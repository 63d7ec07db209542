import type { ModelConfig } from '../architecture';
import { indexField } from '../configFields';
import { encoderFamily } from './maskedLanguageModel';

/** The token id that pads sequences, from config.json. */
export const paddingId = (config: ModelConfig): number => indexField(config, 'pad_token_id', 1);

/**
 * RoBERTa's position ids: tokens count from `paddingId + 1`, padding stays at `paddingId`. Takes and
 * gives [batch · sequenceLength]; the mask is 1 for tokens and 0 for padding.
 */
export function positionIds(
  attentionMask: ArrayLike<number>,
  sequenceLength: number,
  paddingId: number,
): Int32Array {
  const ids = new Int32Array(attentionMask.length);
  let seen = 0;
  for (let index = 0; index < ids.length; index++) {
    if (index % sequenceLength === 0) seen = 0;
    const token = attentionMask[index] === 0 ? 0 : 1;
    seen += token;
    ids[index] = seen * token + paddingId;
  }
  return ids;
}

/** RoBERTa: BERT's encoder with positions that start after the padding id and a head of its own naming. */
export const roberta = encoderFamily({
  modelType: 'roberta',
  className: /^Roberta(Model|For)/,
  prefix: 'roberta.',
  signature: /^(roberta\.encoder\.layer\.0\.attention\.self\.query|lm_head\.layer_norm)\.weight$/,
  head: {
    prefix: 'lm_head.',
    transform: 'lm_head.dense',
    norm: 'lm_head.layer_norm',
    bias: 'lm_head.bias',
    decoder: 'lm_head.decoder',
  },
  encoderClass: 'RobertaModel',
  headClass: 'RobertaForMaskedLM',
  firstPosition: config => paddingId(config) + 1,
  // Whatever hidden_act says, transformers uses the exact GELU in this head.
  headActivation: () => 'gelu',
});
