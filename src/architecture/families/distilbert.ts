import { textField } from '../configFields';
import type { ModelConfig } from '../architecture';
import { encoderFamily } from './maskedLanguageModel';
import { classifier, tokenHeads, type HeadModule } from './taskHeads';

const preClassifier: HeadModule = { id: 'head.dense', name: 'pre_classifier', out: 'residual' };

/** A table of sines and cosines is stored like any other. */
const sinusoidal = (config: ModelConfig) =>
  config['sinusoidal_pos_embds'] === true
    ? [
        {
          message:
            'config.json sets sinusoidal_pos_embds: the table of positions is grown, and trained, where transformers leaves it as it was drawn.',
          remedy: 'Nothing needs to be done: the file holds the table, and transformers reads it.',
        },
      ]
    : [];

/** DistilBERT: BERT without token types and pooler, under other names. */
export const distilbert = encoderFamily({
  modelType: 'distilbert',
  className: /^DistilBert(Model|For)/,
  prefix: 'distilbert.',
  signature: /^(distilbert\.)?transformer\.layer\.0\.attention\.q_lin\.weight$/,
  names: {
    layers: 'transformer.layer.',
    modules: {
      q: { name: 'attention.q_lin' },
      k: { name: 'attention.k_lin' },
      v: { name: 'attention.v_lin' },
      o: { name: 'attention.out_lin' },
      ln1: { name: 'sa_layer_norm' },
      fc1: { name: 'ffn.lin1' },
      fc2: { name: 'ffn.lin2' },
      ln2: { name: 'output_layer_norm' },
    },
  },
  fields: {
    dimensions: {
      numHiddenLayers: 'n_layers',
      hiddenSize: 'dim',
      numAttentionHeads: 'n_heads',
      intermediateSize: 'hidden_dim',
    },
    sizes: {
      numHiddenLayers: 6,
      hiddenSize: 768,
      numAttentionHeads: 12,
      intermediateSize: 3072,
    },
    vocabularySize: 30522,
    activation: 'activation',
  },
  // DistilBertConfig's `attribute_map`.
  aliases: { dim: 'hidden_size', n_heads: 'num_attention_heads', n_layers: 'num_hidden_layers' },
  notes: sinusoidal,
  head: {
    prefix: 'vocab_',
    transform: 'vocab_transform',
    norm: 'vocab_layer_norm',
    bias: 'vocab_projector.bias',
    decoder: 'vocab_projector',
  },
  padding: { token: 0, tables: ['word'] },
  encoderClass: 'DistilBertModel',
  headClass: 'DistilBertForMaskedLM',
  taskHeads: [
    {
      modelClass: 'DistilBertForSequenceClassification',
      modules: [preClassifier, ...classifier()],
      objective: {
        name: 'sequence-classification',
        token: 'first',
        through: preClassifier.id,
        activation: 'relu',
      },
    },
    ...tokenHeads('DistilBert'),
    {
      modelClass: 'DistilBertForMultipleChoice',
      modules: [preClassifier, ...classifier()],
      classes: 1,
    },
  ],
  positions: () => ({ first: 0 }),
  headActivation: config => textField(config, 'activation', 'gelu'),
});
