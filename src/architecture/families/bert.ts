import { textField } from '../configFields';
import { encoderFamily } from './maskedLanguageModel';
import { classifier, tokenHeads } from './taskHeads';

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
  padding: { token: 0, tables: ['word'] },
  encoderClass: 'BertModel',
  headClass: 'BertForMaskedLM',
  pretrainingClass: 'BertForPreTraining',
  decoderClass: 'BertLMHeadModel',
  taskHeads: [
    {
      modelClass: 'BertForSequenceClassification',
      modules: classifier(),
      objective: { name: 'sequence-classification', token: 'first', through: 'pooler' },
      pooler: true,
    },
    ...tokenHeads('Bert'),
    { modelClass: 'BertForMultipleChoice', modules: classifier(), pooler: true, classes: 1 },
    {
      modelClass: 'BertForNextSentencePrediction',
      modules: classifier('cls.seq_relationship'),
      pooler: true,
      classes: 2,
    },
  ],
  positions: () => ({ first: 0 }),
  headActivation: config => textField(config, 'hidden_act', 'gelu'),
});
