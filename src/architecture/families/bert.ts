import { textField } from '../configFields';
import { encoderFamily } from './maskedLanguageModel';

/** BERT: post-norm encoder with token types, masked language modelling, optional next-sentence head. */
export const bert = encoderFamily({
  modelType: 'bert',
  className: /^Bert(Model|For)/,
  prefix: 'bert.',
  signature: /^(bert\.)?encoder\.layer\.0\.attention\.self\.query\.weight$/,
  head: {
    prefix: 'cls.predictions.',
    transform: 'cls.predictions.transform.dense',
    norm: 'cls.predictions.transform.LayerNorm',
    bias: 'cls.predictions.bias',
    decoder: 'cls.predictions.decoder',
    nextSentence: 'cls.seq_relationship',
  },
  vocabularySize: 30522,
  encoderClass: 'BertModel',
  headClass: 'BertForMaskedLM',
  pretrainingClass: 'BertForPreTraining',
  positions: () => ({ first: 0 }),
  headActivation: config => textField(config, 'hidden_act', 'gelu'),
});
