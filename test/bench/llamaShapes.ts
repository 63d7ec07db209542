import type { ModelShapes, ModelSizes } from './bertShapes';

/** Units of a head, and heads that share keys and values. */
export const llamaHeads = { size: 32, sharing: 2 } as const;

/** Feed-forward units, of which a gated layer has three matrices: 8/3 of the hidden units, by 32. */
export const llamaFfn = (hidden: number): number => 32 * Math.round(hidden / 12);

/** config.json and tensor shapes of a Llama with an untied head; two heads share keys and values. */
export function llamaShapes({ layers, hidden, vocabulary, positions }: ModelSizes): ModelShapes {
  const ffn = llamaFfn(hidden);
  const heads = hidden / llamaHeads.size;
  const shared = hidden / llamaHeads.sharing;
  const tensors = new Map<string, { shape: readonly number[] }>([
    ['model.embed_tokens.weight', { shape: [vocabulary, hidden] }],
    ['model.norm.weight', { shape: [hidden] }],
    ['lm_head.weight', { shape: [vocabulary, hidden] }],
  ]);
  const ofLayer: Readonly<Record<string, readonly number[]>> = {
    'self_attn.q_proj': [hidden, hidden],
    'self_attn.k_proj': [shared, hidden],
    'self_attn.v_proj': [shared, hidden],
    'self_attn.o_proj': [hidden, hidden],
    'mlp.gate_proj': [ffn, hidden],
    'mlp.up_proj': [ffn, hidden],
    'mlp.down_proj': [hidden, ffn],
    input_layernorm: [hidden],
    post_attention_layernorm: [hidden],
  };
  for (let layer = 0; layer < layers; layer++) {
    for (const [name, shape] of Object.entries(ofLayer)) {
      tensors.set(`model.layers.${layer}.${name}.weight`, { shape });
    }
  }
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads / llamaHeads.sharing,
    intermediate_size: ffn,
    hidden_act: 'silu',
    rms_norm_eps: 1e-6,
    max_position_embeddings: positions,
    vocab_size: vocabulary,
    tie_word_embeddings: false,
  };
  return { config, tensors };
}
