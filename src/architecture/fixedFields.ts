import type { ModelConfig } from './architecture';

/** Fields that decide sizes which never grow, by what people call them. */
const fixedFields: Readonly<Record<string, string>> = {
  model_type: 'model family',
  vocab_size: 'vocabulary',
  max_position_embeddings: 'number of positions',
  n_positions: 'number of positions',
  type_vocab_size: 'number of token types',
  image_size: 'image size',
  patch_size: 'patch size',
  num_channels: 'number of channels',
  hidden_act: 'activation',
  activation_function: 'activation',
  tie_word_embeddings: 'tied or untied head',
};

/** Names that a field may have beside its own; transformers prefers them. */
const otherNames: Readonly<Record<string, string>> = { n_positions: 'max_position_embeddings' };

/** What an absent field means, where that is the same in every family. */
const fieldDefaults: Readonly<Record<string, unknown>> = { tie_word_embeddings: true };

/** A field of config.json that growing keeps, where a target says another value than the source. */
export interface ChangedField {
  readonly field: string;
  /** What people call it. */
  readonly what: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** Fields that growing keeps and a target config.json changes; those that one of both leaves out are kept. */
export function fixedFieldsThatDiffer(source: ModelConfig, target: ModelConfig): ChangedField[] {
  return Object.entries(fixedFields).flatMap(([field, what]) => {
    if (field in otherNames && !(field in source) && !(field in target)) return [];
    const valueIn = (config: ModelConfig): unknown =>
      config[otherNames[field] ?? field] ?? config[field] ?? fieldDefaults[field];
    const [from, to] = [valueIn(source), valueIn(target)];
    if (to === undefined || from === undefined || JSON.stringify(from) === JSON.stringify(to)) {
      return [];
    }
    return [{ field, what, from, to }];
  });
}
