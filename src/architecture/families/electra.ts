import { bertFields } from './encoder';
import { encoderFamily } from './maskedLanguageModel';
import { classifier, tokenHeads, type HeadModule } from './taskHeads';

const dense = (name: string): HeadModule => ({ id: 'head.dense', name, out: 'residual' });

/**
 * ELECTRA: BERT whose tables may be narrower than its layers. The generator is a masked language model;
 * the discriminator, which tells replaced tokens from others, grows by methods that do not learn.
 */
export const electra = encoderFamily({
  modelType: 'electra',
  className: /^Electra(Model|For)/,
  prefix: 'electra.',
  signature: /^(electra\.encoder\.layer\.0\.attention\.self\.query|embeddings_project)\.weight$/,
  fields: {
    ...bertFields,
    sizes: {
      numHiddenLayers: 12,
      hiddenSize: 256,
      numAttentionHeads: 4,
      intermediateSize: 1024,
    },
    embedding: { field: 'embedding_size', otherwise: 128 },
  },
  head: {
    prefix: 'generator_predictions.',
    transform: 'generator_predictions.dense',
    norm: 'generator_predictions.LayerNorm',
    bias: 'generator_lm_head.bias',
    decoder: 'generator_lm_head',
  },
  padding: { token: 0, tables: ['word'] },
  encoderClass: 'ElectraModel',
  headClass: 'ElectraForMaskedLM',
  taskHeads: [
    {
      modelClass: 'ElectraForPreTraining',
      modules: [
        dense('discriminator_predictions.dense'),
        ...classifier('discriminator_predictions.dense_prediction'),
      ],
      classes: 1,
    },
    {
      modelClass: 'ElectraForSequenceClassification',
      modules: [dense('classifier.dense'), ...classifier('classifier.out_proj')],
      objective: {
        name: 'sequence-classification',
        token: 'first',
        through: 'head.dense',
        activation: 'gelu',
      },
    },
    ...tokenHeads('Electra'),
    {
      modelClass: 'ElectraForMultipleChoice',
      modules: [dense('sequence_summary.summary'), ...classifier()],
      classes: 1,
    },
  ],
  positions: () => ({ first: 0 }),
  // Whatever hidden_act says, transformers uses the exact GELU in this head.
  headActivation: () => 'gelu',
});
