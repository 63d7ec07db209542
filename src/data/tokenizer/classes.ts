import { CorruptFileError, UnsupportedError } from '../../errors';
import { shortJson } from '../../format';
import { readJson, type SmallFiles } from '../jsonFiles';

/**
 * Who decides what the tokenizer does. transformers 5 builds those of BERT, RoBERTa, CamemBERT, XLM-RoBERTa, GPT-2,
 * GPT-NeoX, Llama, Gemma and Qwen2 anew from the vocabulary and tokenizer_config.json, and takes no normalizer or pre-tokenizer
 * from tokenizer.json; a `plain` one is tokenizer.json as it stands there.
 */
export const tokenizerKinds = [
  'bert',
  'roberta',
  'camembert',
  'xlm_roberta',
  'gpt2',
  'gpt_neox',
  'llama',
  'gemma',
  'qwen2',
  'plain',
] as const;
export type TokenizerKind = (typeof tokenizerKinds)[number];

/**
 * Names in `tokenizer_class`, without "Fast", that transformers 5.18 turns into one of these: the
 * accepted list. Anything else cuts text in ways of its own.
 */
const kinds: Readonly<Record<TokenizerKind, readonly string[]>> = {
  bert: [
    'BertTokenizer',
    'DistilBertTokenizer',
    'ElectraTokenizer',
    'LayoutLMTokenizer',
    'LxmertTokenizer',
    'MobileBertTokenizer',
    'SqueezeBertTokenizer',
  ],
  roberta: [
    'BartTokenizer',
    'LEDTokenizer',
    'LongformerTokenizer',
    'MvpTokenizer',
    'RobertaTokenizer',
  ],
  camembert: ['CamembertTokenizer'],
  xlm_roberta: ['XLMRobertaTokenizer'],
  gpt2: ['GPT2Tokenizer'],
  gpt_neox: ['GPTNeoXTokenizer'],
  llama: ['LlamaTokenizer'],
  gemma: ['GemmaTokenizer'],
  qwen2: ['Qwen2Tokenizer'],
  plain: ['PreTrainedTokenizer', 'PythonBackend', 'TokenizersBackend'],
};

/** The class that a kind is called after. */
const usualName: Readonly<Record<TokenizerKind, string>> = {
  bert: 'BertTokenizer',
  roberta: 'RobertaTokenizer',
  camembert: 'CamembertTokenizer',
  xlm_roberta: 'XLMRobertaTokenizer',
  gpt2: 'GPT2Tokenizer',
  gpt_neox: 'GPTNeoXTokenizer',
  llama: 'LlamaTokenizer',
  gemma: 'GemmaTokenizer',
  qwen2: 'Qwen2Tokenizer',
  plain: 'PreTrainedTokenizerFast',
};

/** The kind of a `model_type` of config.json whose files name no class. */
const kindOfModel: Readonly<Record<string, TokenizerKind>> = {
  bert: 'bert',
  distilbert: 'bert',
  electra: 'bert',
  roberta: 'roberta',
  camembert: 'camembert',
  'xlm-roberta': 'xlm_roberta',
  gpt2: 'gpt2',
  opt: 'gpt2',
  gpt_neox: 'gpt_neox',
  gemma: 'gemma',
  gemma2: 'gemma',
  gemma3_text: 'gemma',
  granite: 'plain',
  olmo2: 'plain',
  qwen3: 'qwen2',
  starcoder2: 'gpt2',
};

/**
 * The kinds of a `model_type` whose files are known to name the wrong class, so that transformers takes
 * its own whatever they name (`MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS`).
 */
const decidedByModel: Readonly<Record<string, TokenizerKind>> = {
  mistral: 'plain',
  modernbert: 'plain',
  phi3: 'plain',
  qwen2: 'qwen2',
};

function className(fields: Record<string, unknown>, file: string): string | undefined {
  const name = fields['tokenizer_class'] ?? undefined;
  if (name === undefined || name === '') return undefined;
  if (typeof name === 'string') return name;
  throw new CorruptFileError(
    `"tokenizer_class" in ${file} is ${shortJson(name, 80)}, not a name.`,
    'Repair the file, or leave the field out.',
  );
}

/** Fields of tokenizer_config.json that would give the tokenizer other files or patterns. */
const replacing = [
  'vocab',
  'merges',
  'gguf_file',
  'init_inputs',
  'fast_tokenizer_files',
  'fix_mistral_regex',
];

/** @throws UnsupportedError for a field of tokenizer_config.json that would change what is read here */
function refuseReplacing(config: Record<string, unknown>): void {
  const isNothing = (value: unknown): boolean =>
    (value ?? false) === false || JSON.stringify(value) === '[]';
  const replaced = replacing.find(name => !isNothing(config[name]));
  if (replaced === undefined) return;
  throw new UnsupportedError(
    `tokenizer_config.json sets ${JSON.stringify(replaced)}, which is not supported.`,
    'Save the tokenizer again with a current version of transformers: AutoTokenizer.from_pretrained(…).save_pretrained(…).',
  );
}

/**
 * The kind the files declare, with the name they give it: tokenizer_config.json before config.json,
 * and the model's own where neither names one. Undefined where nothing is declared.
 * @throws UnsupportedError for a class that is not on the accepted list, or that is code of its own
 */
function declaredKind(
  config: Record<string, unknown>,
  model: Record<string, unknown>,
): TokenizerDeclaration['declared'] {
  if (config['auto_map'] !== undefined && config['auto_map'] !== null) {
    throw new UnsupportedError(
      'The tokenizer is Python code of its own ("auto_map" in tokenizer_config.json), which is not run.',
      'Use a checkpoint whose tokenizer is one of transformers.',
    );
  }
  const decided = decidedByModel[String(model['model_type'])];
  if (decided) return { kind: decided, name: usualName[decided] };
  const name =
    className(config, 'tokenizer_config.json') ?? className(model, 'config.json') ?? undefined;
  if (name === undefined) {
    const kind = kindOfModel[String(model['model_type'])];
    return kind && { kind, name: usualName[kind] };
  }
  const plainName = name.replace(/Fast$/, '');
  for (const kind of tokenizerKinds) {
    if (kinds[kind].includes(plainName)) return { kind, name };
  }
  throw new UnsupportedError(
    `The tokenizer class ${JSON.stringify(name)} is not supported: it cuts text in a way of its own.`,
    'Supported are the tokenizers of BERT, RoBERTa, CamemBERT, XLM-RoBERTa, GPT-2, GPT-NeoX, Llama, Gemma and Qwen2, and tokenizer.json with PreTrainedTokenizerFast.',
  );
}

/** What a checkpoint's small files say of its tokenizer. */
export interface TokenizerDeclaration {
  /** tokenizer_config.json; empty where there is none. */
  readonly config: Record<string, unknown>;
  /** The kind, and the name the files have for it; undefined where they have none. */
  readonly declared: { readonly kind: TokenizerKind; readonly name: string } | undefined;
}

/**
 * Reads what is declared without opening the tokenizer, so that what cannot be used is known early.
 * @throws UnsupportedError for a tokenizer that is not supported, CorruptFileError for malformed files
 */
export async function readDeclaration(files: SmallFiles): Promise<TokenizerDeclaration> {
  const config = (await readJson(files, 'tokenizer_config.json')) ?? {};
  refuseReplacing(config);
  const model = (await readJson(files, 'config.json')) ?? {};
  return { config, declared: declaredKind(config, model) };
}
