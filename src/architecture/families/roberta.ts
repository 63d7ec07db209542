import { CorruptFileError } from '../../errors';
import type { ModelConfig } from '../architecture';
import { indexField } from '../configFields';
import { bertFields } from './encoder';
import { encoderFamily } from './maskedLanguageModel';
import { classifier, tokenHeads } from './taskHeads';

/**
 * The token id that pads sequences, from config.json: −1 for none, as transformers takes it. Throws
 * CorruptFileError for null, which transformers cannot count positions with.
 */
export function paddingId(config: ModelConfig): number {
  const value = config['pad_token_id'];
  if (value === -1) return value;
  if (value !== null) return indexField(config, 'pad_token_id', 1);
  throw new CorruptFileError(
    'config.json: pad_token_id is null, but RoBERTa counts positions from it.',
    'Set pad_token_id to the id that the model was trained with (1 in most).',
  );
}

/**
 * RoBERTa's position ids: tokens count from `paddingId + 1`, whatever has the padding's id stays at
 * `paddingId`, in text too. Takes and gives [batch · sequenceLength].
 */
export function positionIds(
  inputIds: ArrayLike<number>,
  sequenceLength: number,
  paddingId: number,
): Int32Array {
  const ids = new Int32Array(inputIds.length);
  let seen = 0;
  for (let index = 0; index < ids.length; index++) {
    if (index % sequenceLength === 0) seen = 0;
    const isToken = inputIds[index] !== paddingId;
    if (isToken) seen++;
    ids[index] = isToken ? seen + paddingId : paddingId;
  }
  return ids;
}

/** BERT's encoder with positions that start after the padding id and a head of its own naming. */
const robertaLike = (
  modelType: string,
  className: string,
  { signature = /(?!)/, vocabularySize = 30522 } = {},
) =>
  encoderFamily({
    modelType,
    className: new RegExp(`^${className}(Model|For)`),
    prefix: 'roberta.',
    signature,
    fields: { ...bertFields, vocabularySize },
    head: {
      prefix: 'lm_head.',
      transform: 'lm_head.dense',
      norm: 'lm_head.layer_norm',
      bias: 'lm_head.bias',
      decoder: 'lm_head.decoder',
    },
    padding: { token: 1, tables: ['word', 'position'] },
    encoderClass: `${className}Model`,
    headClass: `${className}ForMaskedLM`,
    decoderClass: `${className}ForCausalLM`,
    taskHeads: [
      {
        modelClass: `${className}ForSequenceClassification`,
        objective: { name: 'sequence-classification', token: 'first', through: 'head.dense' },
        modules: [
          { id: 'head.dense', name: 'classifier.dense', out: 'residual' },
          ...classifier('classifier.out_proj'),
        ],
      },
      ...tokenHeads(className),
      {
        modelClass: `${className}ForMultipleChoice`,
        modules: classifier(),
        pooler: true,
        classes: 1,
      },
    ],
    positions: config => {
      const padding = paddingId(config);
      return { first: padding + 1, of: (ids, length) => positionIds(ids, length, padding) };
    },
    // Whatever hidden_act says, transformers uses the exact GELU in this head.
    headActivation: () => 'gelu',
  });

/** RoBERTa. */
export const roberta = robertaLike('roberta', 'Roberta', {
  // Tensors of those below are called alike.
  signature: /^(roberta\.encoder\.layer\.0\.attention\.self\.query|lm_head\.layer_norm)\.weight$/,
  vocabularySize: 50265,
});

/** CamemBERT: RoBERTa by another name. */
export const camembert = robertaLike('camembert', 'Camembert');

/** XLM-RoBERTa: RoBERTa by another name. */
export const xlmRoberta = robertaLike('xlm-roberta', 'XLMRoberta');
