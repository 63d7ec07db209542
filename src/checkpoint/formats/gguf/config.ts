import { CorruptFileError, UnsupportedError } from '../../../errors';
import type { JsonObject, JsonValue } from '../../jsonText';
import type { GgufArchitecture } from './architecture';
import type { Facts } from './facts';
import { isList, type Values } from './values';

/** Entries that only llama.cpp uses, or that another one implies. */
const withoutSay = [
  ...['vocab_size', 'pooling_type', 'rope.scaling.finetuned'],
  ...['attention.key_length', 'attention.value_length', 'rope.dimension_count'],
  // Always the same beside these, in files of some converters.
  ...['expert_count', 'expert_used_count', 'attention.causal'],
];

/** Ids of special tokens, by their entries. */
const tokenIds: Readonly<Record<string, string>> = {
  'tokenizer.ggml.bos_token_id': 'bos_token_id',
  'tokenizer.ggml.eos_token_id': 'eos_token_id',
  'tokenizer.ggml.unknown_token_id': 'unk_token_id',
  'tokenizer.ggml.padding_token_id': 'pad_token_id',
};

/**
 * The config.json that transformers would make of a file's metadata, without its rotary scaling.
 * @param words rows of the table of words
 * @throws UserError when the model is not one that the architecture's class computes
 */
export function configOf(
  architecture: GgufArchitecture,
  facts: Facts,
  values: Values,
  words: number | undefined,
): JsonObject {
  refuseOthers(facts);
  const { modelType, className, fields, more, known = [] } = architecture;
  const config: Record<string, JsonValue> = { architectures: [className], model_type: modelType };
  for (const [entry, field] of Object.entries(fields)) {
    const value = facts.value(entry);
    if (typeof value === 'boolean') config[field] = value;
    else if (value !== undefined) config[field] = facts.number(entry)!;
  }
  if ('attention.head_count_kv' in fields) {
    // llama.cpp's default; transformers' differ.
    config['num_key_value_heads'] ??= config['num_attention_heads'] ?? null;
  }
  Object.assign(config, more?.(facts));
  Object.assign(config, turnedPart(architecture, facts));
  for (const [entry, field] of Object.entries(tokenIds)) {
    const id = values.get(entry);
    if (typeof id === 'number') config[field] = id;
  }
  const tokens = values.get('tokenizer.ggml.tokens');
  const vocabulary = facts.number('vocab_size') ?? (isList(tokens) ? tokens.count : words);
  if (vocabulary !== undefined) config['vocab_size'] = vocabulary;
  config['tie_word_embeddings'] = !facts.hasTensor('output.weight');
  for (const entry of [...withoutSay, ...known]) facts.value(entry);
  return withoutNull(config);
}

const withoutNull = (config: Readonly<Record<string, JsonValue>>): JsonObject =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null));

/** @throws UnsupportedError for models that share an architecture's name and not its arithmetic */
function refuseOthers(facts: Facts): void {
  const remedy = 'Use a model of the same family without that.';
  if ((facts.number('expert_count') ?? 0) > 0) {
    throw new UnsupportedError(
      'The file holds a mixture of experts, which is no supported family.',
      remedy,
    );
  }
  if (facts.value('attention.causal') === false) {
    throw new UnsupportedError(
      'The file holds a model whose tokens see those behind them, which its family does not do here.',
      remedy,
    );
  }
}

/** How much of each head is turned, where it may be less than all. */
function turnedPart({ turnsParts = false, modelType }: GgufArchitecture, facts: Facts): JsonObject {
  const turned = facts.number('rope.dimension_count');
  const hidden = facts.number('embedding_length');
  const heads = facts.number('attention.head_count');
  if (turned === undefined || hidden === undefined || !heads) return {};
  // Files of old say of a Llama's head only what is turned of it, which is all.
  const usual = modelType === 'llama' ? turned : hidden / heads;
  const size = facts.number('attention.key_length') ?? usual;
  if (modelType === 'gpt_neox') return { rotary_pct: turned / size };
  if (turned === size) return {};
  if (turnsParts) return { partial_rotary_factor: turned / size };
  throw new CorruptFileError(
    `The metadata has ${turned} of the ${size} units of a head turned (rope.dimension_count), but ${modelType} turns all.`,
    'Use the original weights of the model.',
  );
}
