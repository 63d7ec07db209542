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
  num_labels: 'number of classes',
  reg_tokens: 'number of registers',
  depth_token_only: 'number of layers of the class token',
  mlp_ratio_token_only: 'feed-forward ratio of the layers of the class token',
};

/** Names that a field may have beside its own; transformers prefers them. */
const otherNames: Readonly<Record<string, string>> = { n_positions: 'max_position_embeddings' };

/** What an absent field means, where that is the same in every family. */
const fieldDefaults: Readonly<Record<string, unknown>> = { tie_word_embeddings: true };

/** Fields that say nothing of what is computed, or that decide it only while a model is trained from scratch. */
const withoutSay =
  /^(_.*|architectures|auto_map|torch_dtype|dtype|transformers_version|use_cache|.*_token_id|id2label|label2id|.*(dropout|drop|pdrop)(_prob|_rate)?|.*layerdrop|initializer_\w+|task_specific_params|pretraining_tp|problem_type|return_dict|output_\w+|tokenizer_class|architecture|model_args|pretrained_cfg|num_features|num_classes)$/;

/**
 * Fields that a target config.json sets to something else than the grown model's, which no list above
 * names: it keeps the source's.
 */
export const fieldsNotFollowed = (grown: ModelConfig, target: ModelConfig): readonly string[] =>
  Object.keys(target).filter(field => {
    if (field in fixedFields || withoutSay.test(field)) return false;
    const [own, theirs] = [grown[field] ?? null, target[field] ?? null];
    // What only the target says may be what the family takes without it.
    return theirs !== null && own !== null && JSON.stringify(own) !== JSON.stringify(theirs);
  });

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
