import type { Target } from '../../src/run/plan/plan';
import type { ModelShapes } from './randomModel';

/** A growth of a published model's shapes. */
export interface SizedGrowth extends ModelShapes {
  readonly target: Target;
  /** As the target's own config.json has them, in words. */
  readonly title: string;
}

const gpt2 = (layers: number, hidden: number, heads: number): Omit<ModelShapes, 'type'> => ({
  tokenizer: 'gpt2-kjv',
  config: {
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    activation_function: 'gelu_new',
    n_layer: layers,
    n_embd: hidden,
    n_head: heads,
    n_positions: 1024,
    vocab_size: 50_257,
    layer_norm_epsilon: 1e-5,
    initializer_range: 0.02,
    tie_word_embeddings: true,
    bos_token_id: 0,
    eos_token_id: 0,
  },
});

/** Growths by the name of the option `--size`. */
export const publishedShapes: Readonly<Record<string, SizedGrowth>> = {
  tiny: {
    title: 'GPT-2 6 × 384 → 12 × 512',
    type: 'F32',
    ...gpt2(6, 384, 6),
    target: { layers: 12, hidden: 512 },
  },
  small: {
    title: 'GPT-2 8 × 512 → 12 × 640',
    type: 'F32',
    ...gpt2(8, 512, 8),
    target: { layers: 12, hidden: 640 },
  },
  gpt2: {
    title: 'GPT-2 124 M → 355 M (12 × 768 → 24 × 1024)',
    type: 'F32',
    ...gpt2(12, 768, 12),
    target: { layers: 24, hidden: 1024 },
  },
  bert: {
    title: 'BERT-Base → Large (12 × 768 → 24 × 1024)',
    type: 'F32',
    tokenizer: 'bert-kjv',
    config: {
      architectures: ['BertForMaskedLM'],
      model_type: 'bert',
      num_hidden_layers: 12,
      hidden_size: 768,
      num_attention_heads: 12,
      intermediate_size: 3072,
      hidden_act: 'gelu',
      vocab_size: 30_522,
      max_position_embeddings: 512,
      type_vocab_size: 2,
      layer_norm_eps: 1e-12,
      initializer_range: 0.02,
      pad_token_id: 0,
    },
    target: { layers: 24, hidden: 1024 },
  },
  smollm2: {
    title: 'SmolLM2 135 M → 360 M (30 × 576, 9/3 heads → 32 × 960, 15/5)',
    type: 'BF16',
    tokenizer: 'gpt2-kjv',
    config: {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      num_hidden_layers: 30,
      hidden_size: 576,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      intermediate_size: 1536,
      hidden_act: 'silu',
      vocab_size: 49_152,
      max_position_embeddings: 8192,
      rms_norm_eps: 1e-5,
      rope_theta: 100_000,
      initializer_range: 0.041666666666666664,
      tie_word_embeddings: true,
      torch_dtype: 'bfloat16',
      bos_token_id: 0,
      eos_token_id: 0,
    },
    target: { layers: 32, hidden: 960, heads: 15, kvHeads: 5, ffn: 2560 },
  },
  qwen: {
    title: 'Qwen2.5 0.5 B → 36 × 1152 (24 × 896, 14/2 heads)',
    type: 'BF16',
    tokenizer: 'gpt2-kjv',
    config: {
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      num_hidden_layers: 24,
      hidden_size: 896,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      intermediate_size: 4864,
      hidden_act: 'silu',
      vocab_size: 151_936,
      max_position_embeddings: 32_768,
      rms_norm_eps: 1e-6,
      rope_theta: 1_000_000,
      initializer_range: 0.02,
      tie_word_embeddings: true,
      torch_dtype: 'bfloat16',
      bos_token_id: 0,
      eos_token_id: 0,
    },
    target: { layers: 36, hidden: 1152 },
  },
};
