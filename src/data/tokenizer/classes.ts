import { CorruptFileError, UnsupportedError } from '../../errors';

/**
 * Who decides what the tokenizer does. transformers 5 builds those of BERT, RoBERTa and GPT-2 anew
 * from the vocabulary and tokenizer_config.json, and takes no normalizer or pre-tokenizer from
 * tokenizer.json; a `plain` one is tokenizer.json as it stands there.
 */
export type TokenizerKind = 'bert' | 'roberta' | 'gpt2' | 'plain';

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
  gpt2: ['GPT2Tokenizer'],
  plain: ['PreTrainedTokenizer', 'PythonBackend', 'TokenizersBackend'],
};

/** The kind of a `model_type` of config.json whose files name no class. */
const kindOfModel: Readonly<Record<string, TokenizerKind>> = {
  bert: 'bert',
  roberta: 'roberta',
  gpt2: 'gpt2',
};

function className(fields: Record<string, unknown>, file: string): string | undefined {
  const name = fields['tokenizer_class'] ?? undefined;
  if (name === undefined || name === '') return undefined;
  if (typeof name === 'string') return name;
  throw new CorruptFileError(
    `"tokenizer_class" in ${file} is ${JSON.stringify(name).slice(0, 80)}, not a name.`,
    'Repair the file, or leave the field out.',
  );
}

/**
 * The kind the files declare, with the name they give it: tokenizer_config.json before config.json,
 * and the model's own where neither names one. Undefined where nothing is declared.
 * @throws UnsupportedError for a class that is not on the accepted list, or that is code of its own
 */
export function declaredKind(
  config: Record<string, unknown>,
  model: Record<string, unknown>,
): { kind: TokenizerKind; name: string } | undefined {
  if (config['auto_map'] !== undefined && config['auto_map'] !== null) {
    throw new UnsupportedError(
      'The tokenizer is Python code of its own ("auto_map" in tokenizer_config.json), which is not run.',
      'Use a checkpoint whose tokenizer is one of transformers.',
    );
  }
  const name =
    className(config, 'tokenizer_config.json') ?? className(model, 'config.json') ?? undefined;
  if (name === undefined) {
    const kind = kindOfModel[String(model['model_type'])];
    return kind && { kind, name: kinds[kind].find(known => known.toLowerCase().startsWith(kind))! };
  }
  const plainName = name.replace(/Fast$/, '');
  for (const kind of ['bert', 'roberta', 'gpt2', 'plain'] as const) {
    if (kinds[kind].includes(plainName)) return { kind, name };
  }
  throw new UnsupportedError(
    `The tokenizer class ${JSON.stringify(name)} is not supported: it cuts text in a way of its own.`,
    'Supported are the tokenizers of BERT, RoBERTa and GPT-2, and tokenizer.json with PreTrainedTokenizerFast.',
  );
}
