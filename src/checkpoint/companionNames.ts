/** Files beside the weights that belong to the model whatever its size. */
export const companionNames: readonly string[] = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'bpe.codes',
  'spiece.model',
  'sentencepiece.bpe.model',
  'tokenizer.model',
  'preprocessor_config.json',
  'processor_config.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
];

/** The folder of further chat templates, one a file. */
export const templateFolder = 'additional_chat_templates';

/** Bytes of a companion at most: tokenizers of 250,000 tokens take 35 MB. */
export const largestCompanion = 256 * 1024 * 1024;
