import { UnsupportedError } from '../../../../errors';
import { shortJson } from '../../../../format';
import { quoted } from '../../../names';
import { impliedMerges } from '../tokenizer/merges';
import { wordPatterns } from '../tokenizer/words';
import { bool, text, uint32, type Entry } from './entries';
import { otherWay } from './otherWay';

type Json = Readonly<Record<string, unknown>>;

/** A tokenizer that is written into a file. */
export interface WrittenTokenizer {
  /** tokenizer.json. */
  readonly json: Json;
  readonly special: Readonly<Partial<Record<'bos' | 'eos' | 'unk' | 'pad', number>>>;
  /** Ids that it puts in front of and behind a text. */
  readonly around: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly chatTemplate?: string | undefined;
  /** Rows of the model's table of words. */
  readonly vocabulary: number;
}

/** Kinds of tokens (`llama_token_type` in llama.h). */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/**
 * The metadata of a tokenizer of byte pairs, as llama.cpp's converter writes it.
 * @throws UnsupportedError for one that such metadata cannot say
 */
export function tokenizerEntries(tokenizer: WrittenTokenizer): Entry[] {
  const { json, special, around, chatTemplate } = tokenizer;
  const model = part(json['model']);
  if (model['type'] !== 'BPE' && !Array.isArray(model['merges'])) {
    throw notWritten(`is of the kind ${shortJson(model['type'])}, not of byte pairs`);
  }
  for (const field of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    if (model[field]) throw notWritten(`has a ${field}`);
  }
  const tokens = tokensOf(tokenizer, model);
  const spelled =
    model['byte_fallback'] === true ? pieces(json, model, tokens) : bytes(json, model);
  return [
    ['tokenizer.ggml.model', text(spelled.model)],
    ['tokenizer.ggml.pre', text(spelled.pre)],
    ['tokenizer.ggml.tokens', { kind: 'array', of: 'string', items: tokens.texts }],
    ...spelled.scores,
    ['tokenizer.ggml.token_type', { kind: 'array', of: 'int32', items: tokens.kinds }],
    ...spelled.merges,
    ...idEntries(special),
    ['tokenizer.ggml.add_bos_token', bool(isPut(around.before, special.bos, 'in front of'))],
    ['tokenizer.ggml.add_eos_token', bool(isPut(around.after, special.eos, 'behind'))],
    ...spelled.more,
    ...(chatTemplate === undefined
      ? []
      : [['tokenizer.chat_template', text(chatTemplate)] as const]),
  ];
}

const part = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const notWritten = (why: string): UnsupportedError =>
  new UnsupportedError(
    `The tokenizer ${why}, which the metadata of a GGUF file cannot say.`,
    otherWay,
  );

function idEntries({ bos, eos, unk, pad }: WrittenTokenizer['special']): Entry[] {
  const roles = { bos, eos, unknown: unk, padding: pad };
  return Object.entries(roles).flatMap(([role, id]) =>
    id === undefined ? [] : [[`tokenizer.ggml.${role}_token_id`, uint32(id)] as const],
  );
}

/** Whether the token of a role, and no other, is put around a text. */
function isPut(ids: readonly number[], role: number | undefined, where: string): boolean {
  if (ids.length === 0) return false;
  if (ids.length === 1 && ids[0] === role) return true;
  throw notWritten(
    `puts other tokens ${where} a text than that for its ${where === 'behind' ? 'end' : 'beginning'}`,
  );
}

interface Tokens {
  readonly texts: string[];
  readonly kinds: number[];
}

/** Tokens by their ids, those that nothing stands for too. */
function tokensOf({ json, vocabulary }: WrittenTokenizer, model: Json): Tokens {
  const texts = Array.from({ length: vocabulary }, (_, id) => `[PAD${id}]`);
  const found = Array.from({ length: vocabulary }, (): number => kinds.unused);
  const put = (id: unknown, token: string, kind: number): void => {
    if (typeof id !== 'number' || !(id < vocabulary)) {
      throw notWritten(`has a token (${quoted(token)}) for which the model has no row`);
    }
    texts[id] = token;
    found[id] = kind;
  };
  const isPieces = model['byte_fallback'] === true;
  for (const [token, id] of Object.entries(part(model['vocab']))) {
    put(id, token, isPieces && /^<0x[0-9A-F]{2}>$/.test(token) ? kinds.byte : kinds.normal);
  }
  for (const one of list(json['added_tokens'])) {
    const { id, content, special } = part(one);
    put(id, String(content), special === true ? kinds.control : kinds.userDefined);
  }
  const unknown = model['unk_token'];
  const id = typeof unknown === 'string' ? texts.indexOf(unknown) : -1;
  if (isPieces && id >= 0) found[id] = kinds.unknown;
  return { texts, kinds: found };
}

/** What differs between tokens that spell bytes and pieces of words. */
interface Spelled {
  readonly model: string;
  readonly pre: string;
  readonly scores: readonly Entry[];
  readonly merges: readonly Entry[];
  readonly more: readonly Entry[];
}

const mergesOf = (model: Json): (readonly [string, string])[] =>
  list(model['merges']).map(merge => {
    const [left, right] = typeof merge === 'string' ? merge.split(' ') : (merge as string[]);
    return [String(left), String(right)] as const;
  });

/** What llama.cpp calls the ways to cut text that are known; it tells them by what they do to a text. */
const namedCuts = ['gpt-2', 'llama-bpe', 'qwen2', 'tekken', 'gpt-4o'] as const;

function bytes(json: Json, model: Json): Spelled {
  const normalizer = part(json['normalizer'])['type'];
  if (normalizer !== undefined && normalizer !== 'NFC') {
    throw notWritten(`changes text before it is cut (${shortJson(normalizer)})`);
  }
  const words = wordsOf(part(json['pre_tokenizer']));
  const cut = namedCuts.find(name => wordPatterns[name] === words);
  if (cut === undefined) throw notWritten('cuts text into words in a way that has no known name');
  // Of Llama 3's words, those of DBRX are merged also where the whole word is a token.
  const isMerged = cut === 'llama-bpe' && model['ignore_merges'] !== true;
  const merges = mergesOf(model).map(merge => merge.join(' '));
  return {
    model: 'gpt2',
    pre: isMerged ? 'dbrx' : cut,
    scores: [],
    merges: [['tokenizer.ggml.merges', { kind: 'array', of: 'string', items: merges }]],
    more: [],
  };
}

/** The pattern by which words of bytes are cut, or 'gpt2'; undefined for another way. */
function wordsOf(step: Json): string | undefined {
  if (step['type'] === 'ByteLevel') {
    return step['use_regex'] !== false && step['add_prefix_space'] !== true ? 'gpt2' : undefined;
  }
  const [split, byteLevel, ...more] = list(step['pretokenizers']).map(part);
  const isSplit =
    step['type'] === 'Sequence' &&
    split?.['type'] === 'Split' &&
    split['behavior'] === 'Isolated' &&
    split['invert'] !== true &&
    byteLevel?.['type'] === 'ByteLevel' &&
    byteLevel['use_regex'] === false &&
    byteLevel['add_prefix_space'] !== true &&
    more.length === 0;
  const pattern = isSplit ? part(split['pattern'])['Regex'] : undefined;
  return typeof pattern === 'string' ? pattern : undefined;
}

/** Tokens of SentencePiece: two that make a third are merged, that of the best score first. */
function pieces(json: Json, model: Json, tokens: Tokens): Spelled {
  const merges = mergesOf(model);
  const ranks = new Map<string, number>();
  for (const [left, right] of merges) {
    if (!ranks.has(left + right)) ranks.set(left + right, ranks.size);
  }
  const scoreOf = (token: string): number => -(ranks.get(token) ?? ranks.size);
  const ids = new Map(tokens.texts.map((token, id) => [token, id]));
  const merged = new Map(
    tokens.texts
      .filter((_, id) => tokens.kinds[id] === kinds.normal)
      .map(token => [token, scoreOf(token)]),
  );
  const implied = new Set(impliedMerges(ids, merged).map(merge => merge.join(' ')));
  const isSame =
    implied.size === merges.length && merges.every(merge => implied.has(merge.join(' ')));
  if (!isSame) throw notWritten('merges pieces otherwise than a model of SentencePiece does');
  const prepends = prependsSpace(json);
  return {
    model: 'llama',
    pre: 'default',
    scores: [
      [
        'tokenizer.ggml.scores',
        {
          kind: 'array',
          of: 'float32',
          items: tokens.texts.map((token, id) =>
            tokens.kinds[id] === kinds.normal ? scoreOf(token) : 0,
          ),
        },
      ],
    ],
    merges: [],
    more: [['tokenizer.ggml.add_space_prefix', bool(prepends)]],
  };
}

/** Whether a space is put before a text. @throws UnsupportedError for other steps than those of Llama and Gemma */
function prependsSpace(json: Json): boolean {
  const normalizer = part(json['normalizer']);
  const steps =
    normalizer['type'] === 'Sequence' ? list(normalizer['normalizers']).map(part) : [normalizer];
  const types = steps.map(step => step['type']).filter(type => type !== undefined);
  const cut = part(json['pre_tokenizer']);
  if (cut['type'] === 'Metaspace' && types.length === 0) return cut['prepend_scheme'] !== 'never';
  const known = types.every(type => type === 'Prepend' || type === 'Replace');
  const isWhole = cut['type'] === undefined || cut['type'] === 'Split';
  if (known && isWhole && types.includes('Replace')) return types.includes('Prepend');
  throw notWritten('changes text before it is spelled in a way of its own');
}
