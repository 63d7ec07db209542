import { UnsupportedError } from '../../../errors';
import type { GgufArchitecture } from './architecture';
import type { Facts } from './facts';
import type { JsonObject } from '../../jsonText';

const layer = 'model.layers.{n}';

/** Names that most decoders share. */
const commonNames = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  'blk.{n}.attn_norm': `${layer}.input_layernorm`,
  'blk.{n}.attn_q': `${layer}.self_attn.q_proj`,
  'blk.{n}.attn_k': `${layer}.self_attn.k_proj`,
  'blk.{n}.attn_v': `${layer}.self_attn.v_proj`,
  'blk.{n}.attn_output': `${layer}.self_attn.o_proj`,
  'blk.{n}.ffn_norm': `${layer}.post_attention_layernorm`,
  'blk.{n}.ffn_gate': `${layer}.mlp.gate_proj`,
  'blk.{n}.ffn_up': `${layer}.mlp.up_proj`,
  'blk.{n}.ffn_down': `${layer}.mlp.down_proj`,
};

const headNorms = {
  'blk.{n}.attn_q_norm': `${layer}.self_attn.q_norm`,
  'blk.{n}.attn_k_norm': `${layer}.self_attn.k_norm`,
};

const sandwichNorms = {
  'blk.{n}.post_attention_norm': `${layer}.post_attention_layernorm`,
  'blk.{n}.ffn_norm': `${layer}.pre_feedforward_layernorm`,
  'blk.{n}.post_ffw_norm': `${layer}.post_feedforward_layernorm`,
};

const commonFields = {
  context_length: 'max_position_embeddings',
  block_count: 'num_hidden_layers',
  feed_forward_length: 'intermediate_size',
  embedding_length: 'hidden_size',
  'attention.head_count': 'num_attention_heads',
  'attention.head_count_kv': 'num_key_value_heads',
  'rope.freq_base': 'rope_theta',
};

const rmsFields = { ...commonFields, 'attention.layer_norm_rms_epsilon': 'rms_norm_eps' };
const withHeadSize = { ...rmsFields, 'attention.key_length': 'head_dim' };

/** Biases are not in the metadata: the tensors tell. */
const biases = ({ hasTensor }: Facts): JsonObject => ({
  ...(hasTensor('blk.0.attn_q.bias') && { attention_bias: true }),
  ...(hasTensor('blk.0.ffn_up.bias') && { mlp_bias: true }),
});

const interleaved = {
  'blk.{n}.attn_q': 'interleavedQueries',
  'blk.{n}.attn_k': 'interleavedKeys',
} as const;

const llama: GgufArchitecture = {
  modelType: 'llama',
  className: 'LlamaForCausalLM',
  names: commonNames,
  done: interleaved,
  fields: withHeadSize,
  known: ['tensor_data_layout'],
  more: facts => ({
    ...biases(facts),
    // Files of old have no size of a head, but what is turned of one: all of it.
    head_dim: facts.number('attention.key_length') ?? facts.number('rope.dimension_count') ?? null,
  }),
};

const gemma: GgufArchitecture = {
  modelType: 'gemma',
  className: 'GemmaForCausalLM',
  names: commonNames,
  done: { norm: 'plusOne' },
  fields: withHeadSize,
};

/** Layers of the 27B models, whose scores are scaled by hidden size over heads in place of a head's size. */
const layersOf27B = [46, 62];

const queryScale = (facts: Facts): JsonObject => {
  const { number } = facts;
  const [hidden, heads] = [number('embedding_length'), number('attention.head_count')];
  if (hidden === undefined || !heads) return {};
  const ofHeads = layersOf27B.includes(number('block_count') ?? 0);
  const scale = ofHeads ? hidden / heads : (number('attention.key_length') ?? 256);
  return { query_pre_attn_scalar: scale };
};

const gemma2: GgufArchitecture = {
  ...gemma,
  modelType: 'gemma2',
  className: 'Gemma2ForCausalLM',
  names: { ...commonNames, ...sandwichNorms },
  fields: {
    ...withHeadSize,
    'attention.sliding_window': 'sliding_window',
    attn_logit_softcapping: 'attn_logit_softcapping',
    final_logit_softcapping: 'final_logit_softcapping',
  },
  more: queryScale,
};

const gpt2Layer = 'transformer.h.{n}';

/** Architectures by `general.architecture`. */
export const architectures: Readonly<Record<string, GgufArchitecture>> = {
  llama,
  qwen2: {
    modelType: 'qwen2',
    className: 'Qwen2ForCausalLM',
    names: commonNames,
    fields: rmsFields,
  },
  qwen3: {
    modelType: 'qwen3',
    className: 'Qwen3ForCausalLM',
    names: { ...commonNames, ...headNorms },
    fields: withHeadSize,
    more: biases,
  },
  gemma,
  gemma2,
  gemma3: {
    ...gemma2,
    modelType: 'gemma3_text',
    className: 'Gemma3ForCausalLM',
    names: { ...commonNames, ...sandwichNorms, ...headNorms },
    fields: {
      ...gemma2.fields,
      'rope.freq_base_swa': 'rope_local_base_freq',
      'attention.sliding_window_pattern': 'sliding_window_pattern',
    },
  },
  gpt2: {
    modelType: 'gpt2',
    className: 'GPT2LMHeadModel',
    names: {
      token_embd: 'transformer.wte',
      position_embd: 'transformer.wpe',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
      'blk.{n}.attn_norm': `${gpt2Layer}.ln_1`,
      'blk.{n}.attn_qkv': `${gpt2Layer}.attn.c_attn`,
      'blk.{n}.attn_output': `${gpt2Layer}.attn.c_proj`,
      'blk.{n}.ffn_norm': `${gpt2Layer}.ln_2`,
      'blk.{n}.ffn_up': `${gpt2Layer}.mlp.c_fc`,
      'blk.{n}.ffn_down': `${gpt2Layer}.mlp.c_proj`,
    },
    done: {
      'blk.{n}.attn_qkv': 'transposed',
      'blk.{n}.attn_output': 'transposed',
      'blk.{n}.ffn_up': 'transposed',
      'blk.{n}.ffn_down': 'transposed',
    },
    fields: {
      context_length: 'n_positions',
      block_count: 'n_layer',
      feed_forward_length: 'n_inner',
      embedding_length: 'n_embd',
      'attention.head_count': 'n_head',
      'attention.layer_norm_epsilon': 'layer_norm_epsilon',
    },
  },
  phi3: {
    modelType: 'phi3',
    className: 'Phi3ForCausalLM',
    names: {
      ...commonNames,
      'blk.{n}.attn_qkv': `${layer}.self_attn.qkv_proj`,
      'blk.{n}.ffn_up': `${layer}.mlp.gate_up_proj`,
    },
    fields: rmsFields,
    turnsParts: true,
    more: ({ number }) => {
      const window = number('attention.sliding_window');
      const context = number('rope.scaling.original_context_length');
      return {
        sliding_window: window === undefined || window === 0 ? null : window,
        ...(context !== undefined && { original_max_position_embeddings: context }),
      };
    },
  },
  starcoder2: {
    modelType: 'starcoder2',
    className: 'Starcoder2ForCausalLM',
    names: {
      ...commonNames,
      'blk.{n}.ffn_up': `${layer}.mlp.c_fc`,
      'blk.{n}.ffn_down': `${layer}.mlp.c_proj`,
    },
    fields: {
      ...commonFields,
      'attention.layer_norm_epsilon': 'norm_epsilon',
      'attention.sliding_window': 'sliding_window',
    },
    more: ({ hasTensor }) => ({ use_bias: hasTensor('blk.0.attn_q.bias') }),
  },
  gptneox: {
    modelType: 'gpt_neox',
    className: 'GPTNeoXForCausalLM',
    names: {
      token_embd: 'gpt_neox.embed_in',
      output_norm: 'gpt_neox.final_layer_norm',
      output: 'embed_out',
      'blk.{n}.attn_norm': 'gpt_neox.layers.{n}.input_layernorm',
      'blk.{n}.attn_qkv': 'gpt_neox.layers.{n}.attention.query_key_value',
      'blk.{n}.attn_output': 'gpt_neox.layers.{n}.attention.dense',
      'blk.{n}.ffn_norm': 'gpt_neox.layers.{n}.post_attention_layernorm',
      'blk.{n}.ffn_up': 'gpt_neox.layers.{n}.mlp.dense_h_to_4h',
      'blk.{n}.ffn_down': 'gpt_neox.layers.{n}.mlp.dense_4h_to_h',
    },
    done: { 'blk.{n}.attn_qkv': 'partsFirst' },
    fields: {
      context_length: 'max_position_embeddings',
      block_count: 'num_hidden_layers',
      feed_forward_length: 'intermediate_size',
      embedding_length: 'hidden_size',
      'attention.head_count': 'num_attention_heads',
      'attention.layer_norm_epsilon': 'layer_norm_eps',
      'rope.freq_base': 'rotary_emb_base',
      use_parallel_residual: 'use_parallel_residual',
    },
    turnsParts: true,
    more: ({ hasTensor }) => ({ attention_bias: hasTensor('blk.0.attn_qkv.bias') }),
  },
  olmo2: {
    modelType: 'olmo2',
    className: 'Olmo2ForCausalLM',
    names: {
      ...commonNames,
      ...headNorms,
      'blk.{n}.post_attention_norm': `${layer}.post_attention_layernorm`,
      'blk.{n}.post_ffw_norm': `${layer}.post_feedforward_layernorm`,
    },
    fields: rmsFields,
    more: facts => {
      if (facts.number('attention.sliding_window') === undefined) return biases(facts);
      throw new UnsupportedError(
        'The file holds an OLMo 3 (olmo2 with attention.sliding_window), which is no supported family.',
        'Use an OLMo 2.',
      );
    },
  },
  granite: {
    modelType: 'granite',
    className: 'GraniteForCausalLM',
    names: commonNames,
    done: interleaved,
    fields: {
      ...rmsFields,
      embedding_scale: 'embedding_multiplier',
      residual_scale: 'residual_multiplier',
      'attention.scale': 'attention_multiplier',
      logit_scale: 'logits_scaling',
    },
    more: biases,
  },
  smollm3: {
    modelType: 'smollm3',
    className: 'SmolLM3ForCausalLM',
    names: commonNames,
    done: interleaved,
    fields: rmsFields,
    more: biases,
  },
};
