import { isRecord } from '../jsonFiles';
import { parseAddedToken, type AddedToken } from './addedTokens';
import type { TokenizerKind } from './classes';

/** The roles a token can play for a model, in the order transformers adds them. */
export const specialRoles = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'] as const;
export type SpecialRole = (typeof specialRoles)[number];

const ofRoberta = {
  bos: '<s>',
  eos: '</s>',
  unk: '<unk>',
  sep: '</s>',
  pad: '<pad>',
  cls: '<s>',
  mask: '<mask>',
};

/** The tokens of a kind whose files do not name them. */
const usual: Readonly<Record<TokenizerKind, Readonly<Partial<Record<SpecialRole, string>>>>> = {
  bert: { unk: '[UNK]', sep: '[SEP]', pad: '[PAD]', cls: '[CLS]', mask: '[MASK]' },
  roberta: ofRoberta,
  camembert: ofRoberta,
  xlm_roberta: ofRoberta,
  gpt2: { bos: '<|endoftext|>', eos: '<|endoftext|>', unk: '<|endoftext|>' },
  gpt_neox: {
    bos: '<|endoftext|>',
    eos: '<|endoftext|>',
    unk: '<|endoftext|>',
    pad: '<|padding|>',
  },
  llama: { bos: '<s>', eos: '</s>', unk: '<unk>' },
  gemma: { bos: '<bos>', eos: '<eos>', unk: '<unk>', pad: '<pad>', mask: '<mask>' },
  qwen2: { eos: '<|endoftext|>', unk: '<|endoftext|>', pad: '<|endoftext|>' },
  plain: {},
};

/** What the files beside tokenizer.json say of special and added tokens. */
export interface DeclaredTokens {
  /** By role, whether the files name them or the kind does. */
  readonly roles: ReadonlyMap<SpecialRole, AddedToken>;
  /** Those the files name. */
  readonly named: readonly AddedToken[];
  /** `added_tokens_decoder` of tokenizer_config.json or added_tokens.json, and of tokenizer.json, by their ids. */
  readonly listed: readonly AddedToken[];
}

export interface TokenFiles {
  readonly config: Record<string, unknown>;
  /** special_tokens_map.json and added_tokens.json. */
  readonly map: Record<string, unknown> | undefined;
  readonly added: Record<string, unknown> | undefined;
  readonly json: Record<string, unknown> | undefined;
}

const configName = 'tokenizer_config.json';
const mapName = 'special_tokens_map.json';

/** Every token of a list, or of an object's values. */
function tokensOf(value: unknown, where: string): AddedToken[] {
  if (value === undefined || value === null) return [];
  const entries: unknown[] = Array.isArray(value)
    ? value
    : isRecord(value)
      ? Object.values(value)
      : [value];
  return entries.map(entry => parseAddedToken(entry, where, true));
}

/** The tokens in the `…_token` fields of a file, by the name of the field. */
function namedFields(fields: Record<string, unknown>, where: string): Map<string, AddedToken> {
  const named = new Map<string, AddedToken>();
  for (const [name, value] of Object.entries(fields)) {
    const isToken = typeof value === 'string' || (isRecord(value) && 'content' in value);
    if (name.endsWith('_token') && isToken) named.set(name, parseAddedToken(value, where, true));
  }
  return named;
}

const extraName = 'extra_special_tokens';
/** Its old name, which transformers follows where the new one is not there. */
const oldExtraName = 'additional_special_tokens';

/** The tokens of `added_tokens` in tokenizer.json or of a decoder, with the ids the file gives them. */
export function tokensWithIds(value: unknown, where: string): Map<number, AddedToken> {
  const tokens = new Map<number, AddedToken>();
  if (Array.isArray(value)) {
    for (const entry of value as unknown[]) {
      const id = isRecord(entry) && typeof entry['id'] === 'number' ? entry['id'] : tokens.size;
      tokens.set(id, parseAddedToken(entry, where));
    }
  } else if (isRecord(value)) {
    for (const [id, entry] of Object.entries(value)) {
      tokens.set(Number(id), parseAddedToken(entry, where));
    }
  }
  return tokens;
}

/**
 * The tokens the files declare, with the precedence of transformers 5.18: where tokenizer_config.json
 * has `added_tokens_decoder`, the older files are not read; else special_tokens_map.json comes before
 * tokenizer_config.json, and added_tokens.json and tokenizer.json list what is added.
 */
export function declaredTokens(kind: TokenizerKind, files: TokenFiles): DeclaredTokens {
  const { config, map = {}, added = {}, json } = files;
  const decoder = config['added_tokens_decoder'];
  const named = namedFields(config, configName);
  const extra = tokensOf(config[extraName], configName);
  if (extra.length === 0) extra.push(...tokensOf(config[oldExtraName], configName));
  let listed: Map<number, AddedToken>;
  if (decoder !== undefined && decoder !== null) {
    listed = tokensWithIds(decoder, configName);
  } else {
    for (const [name, token] of namedFields(map, mapName)) named.set(name, token);
    const known = new Set(extra.map(({ content }) => content));
    const mapped = tokensOf(map[extraName], mapName);
    extra.push(...mapped.filter(({ content }) => !known.has(content)));
    const special = new Set([...named.values(), ...extra].map(({ content }) => content));
    listed = new Map();
    for (const [content, id] of Object.entries(added)) {
      const token = { content, special: special.has(content) };
      listed.set(Number(id), parseAddedToken(token, 'added_tokens.json'));
    }
    const own = tokensWithIds(json?.['added_tokens'], 'tokenizer.json');
    for (const [id, token] of own) listed.set(id, token);
    // Too late to make those of added_tokens.json special.
    const newer = [config[extraName], config[oldExtraName], map[extraName]];
    if (newer.every(value => value === undefined)) {
      extra.push(...tokensOf(map[oldExtraName], mapName));
    }
  }
  const byContent = new Map([...listed.values()].map(token => [token.content, token]));
  const asListed = (token: AddedToken): AddedToken => byContent.get(token.content) ?? token;

  const roles = new Map<SpecialRole, AddedToken>();
  for (const role of specialRoles) {
    const content = usual[kind][role];
    const token =
      named.get(`${role}_token`) ??
      (content !== undefined && config[`${role}_token`] !== null
        ? parseAddedToken(content, configName)
        : undefined);
    if (token) roles.set(role, asListed(token));
  }
  const isNamed = new Set([...roles.values(), ...named.values()].map(({ content }) => content));
  return {
    roles,
    named: [...named.values(), ...extra].map(asListed),
    listed: [...listed]
      .sort(([a], [b]) => a - b)
      .map(([, token]) => (isNamed.has(token.content) ? { ...token, special: true } : token)),
  };
}
