import type { ModelConfig } from '../../src/architecture';

/** Sizes of a model without weights. */
export interface ModelSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly positions: number;
}

/** config.json, and the shapes of the tensors beside it. */
export interface ModelShapes {
  readonly config: ModelConfig;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
}

/** config.json and tensor shapes of a BERT for masked language modelling with an untied head. */
export function bertShapes({ layers, hidden, vocabulary, positions }: ModelSizes): ModelShapes {
  const ffn = 4 * hidden;
  const tensors = new Map<string, { shape: readonly number[] }>();
  const module = (name: string, out: number, inner?: number): void => {
    tensors.set(`${name}.weight`, { shape: inner === undefined ? [out] : [out, inner] });
    tensors.set(`${name}.bias`, { shape: [out] });
  };
  const table = (name: string, rows: number): void => {
    tensors.set(`bert.embeddings.${name}.weight`, { shape: [rows, hidden] });
  };
  table('word_embeddings', vocabulary);
  table('position_embeddings', positions);
  table('token_type_embeddings', 2);
  module('bert.embeddings.LayerNorm', hidden);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `bert.encoder.layer.${layer}`;
    for (const name of ['query', 'key', 'value']) {
      module(`${prefix}.attention.self.${name}`, hidden, hidden);
    }
    module(`${prefix}.attention.output.dense`, hidden, hidden);
    module(`${prefix}.attention.output.LayerNorm`, hidden);
    module(`${prefix}.intermediate.dense`, ffn, hidden);
    module(`${prefix}.output.dense`, hidden, ffn);
    module(`${prefix}.output.LayerNorm`, hidden);
  }
  module('cls.predictions.transform.dense', hidden, hidden);
  module('cls.predictions.transform.LayerNorm', hidden);
  module('cls.predictions.decoder', vocabulary, hidden);
  tensors.set('cls.predictions.bias', { shape: [vocabulary] });
  const config = {
    architectures: ['BertForMaskedLM'],
    model_type: 'bert',
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: hidden / 64,
    intermediate_size: ffn,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
    max_position_embeddings: positions,
    type_vocab_size: 2,
    vocab_size: vocabulary,
    tie_word_embeddings: false,
  };
  return { config, tensors };
}
