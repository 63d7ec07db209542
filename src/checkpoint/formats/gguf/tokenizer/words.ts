/** Contractions, in the spelling that these patterns share. */
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const end = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const llama3 = `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${end}`;
const qwen2 = `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${end}`;

const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const first = '[^\\r\\n\\p{L}\\p{N}]?';
const signs = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*';
const tekken = `${first}${upper}*${lower}+|${first}${upper}+${lower}*|\\p{N}|${signs}|${end}`;
const gpt4o = `${first}${upper}*${lower}+${contractions}?|${first}${upper}+${lower}*${contractions}?|\\p{N}{1,3}|${signs}|${end}`;

/**
 * What text is cut into before byte pairs are merged, by `tokenizer.ggml.pre`: a pattern, or 'gpt2' for
 * GPT-2's own words. transformers has the same table; in files that name none it takes GPT-2's.
 */
export const wordPatterns: Readonly<Record<string, string>> = {
  ...named(
    'gpt2',
    'gpt-2 gpt2 default phi-2 mpt olmo jais trillion smollm starcoder refact codeshell',
  ),
  ...named(
    llama3,
    'llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano dbrx smaug-bpe',
  ),
  ...named(qwen2, 'qwen2 deepseek-r1-qwen kormo f2llmv2 megrez'),
  ...named(tekken, 'tekken'),
  ...named(gpt4o, 'gpt-4o llama4 kanana2 talkie minimax-m2'),
};

function named(pattern: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map(name => [name, pattern]));
}
