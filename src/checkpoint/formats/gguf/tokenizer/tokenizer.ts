import { CorruptFileError, UnsupportedError } from '../../../../errors';
import type { JsonObject, JsonValue } from '../../../jsonText';
import type { ReadBytes } from '../../../layouts/layout';
import { quoted } from '../../../names';
import { isList, type Values } from '../values';
import { asByteLevel, isByteLevel } from './byteLevel';
import { readNumbers, readTexts } from './lists';
import { impliedMerges } from './merges';
import { modelOf, stepsOf, type Spelling } from './steps';
import { wordPatterns } from './words';

/** Kinds of tokens (`llama_token_type` in llama.h) that stand for no text, or are never cut. */
const CONTROL = 3;
const USER_DEFINED = 4;

/** What each special token is called in tokenizer_config.json, with the entry that holds its id. */
const roles: Readonly<Record<string, string>> = {
  bos_token: 'bos_token_id',
  eos_token: 'eos_token_id',
  unk_token: 'unknown_token_id',
  pad_token: 'padding_token_id',
};

/** Special tokens that transformers' class for a spelling has whether the file marks them or not. */
const ofClass: Readonly<Record<Spelling, readonly string[]>> = {
  bytes: ['<|endoftext|>'],
  llama: ['<unk>', '<s>', '</s>'],
  phi3: ['<unk>', '<s>', '</s>'],
  gemma: ['<pad>', '<eos>', '<bos>', '<unk>', '<mask>'],
};

/**
 * Files of a tokenizer that are made of the metadata when they are asked for, as transformers makes
 * them of it. Making them throws UnsupportedError when the metadata tells of none that is known.
 */
export function tokenizerFiles(
  values: Values,
): ReadonlyMap<string, (read: ReadBytes) => Promise<string>> {
  return new Map([
    ['tokenizer.json', read => tokenizerJson(values, read)],
    ['tokenizer_config.json', read => configJson(values, read)],
  ]);
}

const entry = (values: Values, name: string) => values.get(`tokenizer.ggml.${name}`);

interface Kind {
  readonly spelling: Spelling;
  /** What bytes are cut into, see `wordPatterns`. */
  readonly words?: string;
}

/** @throws UnsupportedError for a kind of tokenizer that is not known */
function kindOf(values: Values): Kind {
  const spelling = spellingOf(values);
  return spelling === 'bytes' ? { spelling, words: wordsOf(values) } : { spelling };
}

function spellingOf(values: Values): Spelling {
  const model = entry(values, 'model');
  const architecture = values.get('general.architecture');
  if (!isList(entry(values, 'tokens'))) throw notKnown('holds none');
  if (model === 'gpt2') return 'bytes';
  if (typeof model !== 'string') throw notKnown('names no kind of it');
  if (model !== 'llama') throw notKnown(`holds one of the kind ${quoted(model)}`);
  if (architecture === 'phi3') return 'phi3';
  const isGemma = typeof architecture === 'string' && /^gemma[23]?$/.test(architecture);
  return isGemma ? 'gemma' : 'llama';
}

/** @throws UnsupportedError for a way to cut text into words that is not known */
function wordsOf(values: Values): string {
  const pre = entry(values, 'pre') ?? 'gpt-2';
  if (typeof pre === 'string' && Object.hasOwn(wordPatterns, pre)) return wordPatterns[pre]!;
  throw notKnown(
    `cuts text into words in a way that is not known (${typeof pre === 'string' ? quoted(pre) : 'no name'})`,
  );
}

const notKnown = (what: string): UnsupportedError =>
  new UnsupportedError(
    `No tokenizer is made of the file's metadata, which ${what}: text cannot be read with it.`,
    'Put tokenizer.json and tokenizer_config.json of the original model beside the file.',
  );

async function tokenizerJson(values: Values, read: ReadBytes): Promise<string> {
  const { spelling, words } = kindOf(values);
  const found = await readTexts(entry(values, 'tokens'), read);
  const kinds = await readNumbers(entry(values, 'token_type'), read);
  const tokens = found.map(token => spelled(token, spelling));
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges = isList(entry(values, 'merges'))
    ? (await readTexts(entry(values, 'merges'), read)).map(parted)
    : impliedMerges(ids, await scoresOf(values, { spelling, tokens, read }));
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(values, { spelling, tokens, found, kinds, ids }),
    ...stepsOf(spelling, words),
    post_processor: around(values, found),
    model: { ...modelOf(spelling), vocab: Object.fromEntries(ids), merges },
  };
  return JSON.stringify(json);
}

/** A token as transformers' class has it. */
function spelled(token: string, spelling: Spelling): string {
  if (spelling === 'bytes') return asByteLevel(token);
  // Gemma's files have spaces in tokens of nothing else.
  if (spelling !== 'gemma' || !token.includes(' ') || token.trim() !== '') return token;
  return '▁'.repeat(Array.from(token).length);
}

function parted(merge: string): readonly [string, string] {
  const [left, right, ...more] = merge.split(' ');
  if (left !== undefined && right !== undefined && more.length === 0) return [left, right];
  throw new CorruptFileError(
    `The metadata has a merge that is not two tokens with a space between them (${quoted(merge)}).`,
    'Convert the model anew with a current version of llama.cpp.',
  );
}

/** What decides which token is merged first: Gemma's are in that order. */
async function scoresOf(
  values: Values,
  {
    spelling,
    tokens,
    read,
  }: {
    readonly spelling: Spelling;
    readonly tokens: readonly string[];
    readonly read: ReadBytes;
  },
): Promise<ReadonlyMap<string, number>> {
  if (spelling === 'gemma') return new Map(tokens.map((token, id) => [token, -id]));
  const scores = await readNumbers(entry(values, 'scores'), read);
  return new Map(tokens.map((token, id) => [token, scores[id] ?? 0]));
}

interface Vocabulary {
  readonly spelling: Spelling;
  readonly tokens: readonly string[];
  /** As the file has them. */
  readonly found: readonly string[];
  readonly kinds: readonly number[];
  readonly ids: ReadonlyMap<string, number>;
}

/** Tokens that are never cut, in the order of their ids. */
function addedTokens(
  values: Values,
  { spelling, tokens, found, kinds, ids }: Vocabulary,
): JsonObject[] {
  const special = new Map<string, boolean>();
  kinds.forEach((kind, id) => {
    const token = found[id];
    if (kind === USER_DEFINED && token !== undefined && ids.has(token)) special.set(token, false);
  });
  for (const token of ofClass[spelling]) if (ids.has(token)) special.set(token, true);
  for (const name of Object.values(roles)) {
    const token = tokenOf(values, name, tokens);
    if (token !== undefined) special.set(token, true);
  }
  kinds.forEach((kind, id) => {
    const token = found[id];
    if (kind !== CONTROL || token === undefined || !ids.has(token)) return;
    // Others are mistakes of llama.cpp's converter.
    if (spelling !== 'bytes' || isByteLevel(token)) special.set(token, true);
  });
  return [...special]
    .map(([content, isSpecial]) => ({ id: ids.get(content)!, content, isSpecial }))
    .sort((a, b) => a.id - b.id)
    .map(({ id, content, isSpecial }) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: isSpecial,
    }));
}

/** The token of a role; undefined where the file names none that it has. */
function tokenOf(values: Values, role: string, tokens: readonly string[]): string | undefined {
  const id = entry(values, role);
  return typeof id === 'number' ? tokens[id] : undefined;
}

/** What the file puts around every text. */
function around(values: Values, tokens: readonly string[]): JsonValue {
  const piece = (flag: string, role: string): { id: number; token: string }[] => {
    const id = entry(values, role);
    const token = tokenOf(values, role, tokens);
    const isPut = entry(values, flag) === true && typeof id === 'number' && token !== undefined;
    return isPut ? [{ id, token }] : [];
  };
  const before = piece('add_bos_token', 'bos_token_id');
  const after = piece('add_eos_token', 'eos_token_id');
  const put = [...before, ...after];
  if (put.length === 0) return null;
  const template = (type_id: number, id: string): JsonObject[] => [
    ...before.map(({ token }) => ({ SpecialToken: { id: token, type_id } })),
    { Sequence: { id, type_id } },
    ...after.map(({ token }) => ({ SpecialToken: { id: token, type_id } })),
  ];
  return {
    type: 'TemplateProcessing',
    single: template(0, 'A'),
    pair: [...template(0, 'A'), ...template(1, 'B')],
    special_tokens: Object.fromEntries(
      put.map(({ id, token }) => [token, { id: token, ids: [id], tokens: [token] }]),
    ),
  };
}

async function configJson(values: Values, read: ReadBytes): Promise<string> {
  kindOf(values);
  const tokens = await readTexts(entry(values, 'tokens'), read);
  const config: Record<string, JsonValue> = { tokenizer_class: 'PreTrainedTokenizerFast' };
  for (const [name, role] of Object.entries(roles)) {
    const token = tokenOf(values, role, tokens);
    if (token !== undefined) config[name] = token;
  }
  const template = values.get('tokenizer.chat_template');
  if (typeof template === 'string') config['chat_template'] = template;
  return `${JSON.stringify(config, null, 2)}\n`;
}
