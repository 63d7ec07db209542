import { UserError, type Note } from '../../errors';
import { folderOf, readJson, type SmallFiles } from '../jsonFiles';
import { tokenSplitter, withIds, type AddedToken, type AddedTokens } from './addedTokens';
import { builtModel, builtSteps, flag, notFollowed } from './built';
import { readDeclaration, type TokenizerKind } from './classes';
import { exists } from './legacyFiles';
import { parseModel } from './model';
import { parseNormalizer } from './normalize';
import type { PatternWatch } from './patterns';
import { aroundText, nothingAround, parsePostProcessor, type Around } from './postProcessor';
import { parsePreTokenizer } from './preTokenize';
import {
  declaredTokens,
  specialRoles,
  tokensWithIds,
  type DeclaredTokens,
  type SpecialRole,
} from './specialTokens';

/** What is known of a tokenizer without encoding anything. */
export interface TokenizerDescription {
  /** One more than the largest id, added tokens included. */
  readonly vocabularySize: number;
  /** The same without added tokens: the least `vocab_size` a model of it can have. */
  readonly leastSize: number;
  /** The ids of added tokens by their text: a model may have no embedding for the last of them. */
  readonly addedIds: ReadonlyMap<string, number>;
  readonly special: Readonly<Partial<Record<SpecialRole, number>>>;
  /** The ids that stand for no text: never masked, never put in as a random token. */
  readonly specialIds: ReadonlySet<number>;
  /** What transformers puts around every text, as a person reads it: `[CLS] … [SEP]`; or nothing. */
  readonly around: string;
  /** Its ids in front of and behind a text; undefined where the tokenizer does not know one of them. */
  readonly aroundIds:
    { readonly before: readonly number[]; readonly after: readonly number[] } | undefined;
  /** What it is for masked batches, which go by the tokens for it: `[CLS] … [SEP]`, or nothing. */
  readonly wrapping: string;
  /** What a person should know of what the files say. */
  readonly notes: readonly Note[];
}

/** A tokenizer in this thread. Its patterns come with the checkpoint and may take for ever. */
export interface OpenTokenizer extends TokenizerDescription {
  /** The ids of a text, or of a piece that goes on from one before it. */
  encode(text: string, place?: 'first' | 'continued'): Int32Array;
}

/** What each role is called where nothing is declared. */
const customary: Readonly<Partial<Record<SpecialRole, readonly string[]>>> = {
  cls: ['[CLS]'],
  sep: ['[SEP]'],
  mask: ['[MASK]', '<mask>'],
  pad: ['[PAD]', '<pad>'],
  unk: ['[UNK]', '<unk>'],
  bos: ['<s>', '<|endoftext|>'],
  eos: ['</s>', '<|endoftext|>'],
};

/** The kind of files that do not say: tokenizer.json as it stands, or what the vocabulary is for. */
async function undeclaredKind(
  directory: string,
  json: Record<string, unknown> | undefined,
): Promise<{ kind: TokenizerKind; name: string }> {
  if (json) return { kind: 'plain', name: 'PreTrainedTokenizerFast' };
  if (await exists(directory, 'vocab.txt')) return { kind: 'bert', name: 'BertTokenizer' };
  const vocabulary = await readJson(directory, 'vocab.json');
  return vocabulary && '<s>' in vocabulary && '</s>' in vocabulary
    ? { kind: 'roberta', name: 'RobertaTokenizer' }
    : { kind: 'gpt2', name: 'GPT2Tokenizer' };
}

/** The tokens that transformers puts around a text. */
function declaredAround(
  kind: TokenizerKind,
  config: Record<string, unknown>,
  json: Record<string, unknown> | undefined,
  contentOf: (role: SpecialRole) => string | undefined,
): Around {
  const ofFile = parsePostProcessor(json?.['post_processor']);
  const tokens = (role: SpecialRole): string[] => [contentOf(role) ?? []].flat();
  if (kind === 'bert' || kind === 'roberta') return { before: tokens('cls'), after: tokens('sep') };
  if (kind === 'camembert' || kind === 'xlm_roberta') {
    return { before: tokens('bos'), after: tokens('eos') };
  }
  if (kind === 'gpt_neox' && json) return nothingAround;
  // transformers hears these two only where there is no tokenizer.json.
  if (json) return ofFile;
  return {
    before: flag(config, 'add_bos_token', false) ? tokens('bos') : [],
    after: flag(config, 'add_eos_token', false) ? tokens('eos') : [],
  };
}

/**
 * Opens the checkpoint's own tokenizer as transformers 5.18 does: of the class its files declare,
 * with the flags of tokenizer_config.json before what tokenizer.json says.
 * @throws UserError when there is none or an unsupported one, CorruptFileError when it is malformed
 */
export async function openTokenizer(
  files: SmallFiles,
  watch: PatternWatch,
): Promise<OpenTokenizer> {
  const directory = folderOf(files);
  const { config, declared } = await readDeclaration(files);
  const json = await readJson(files, 'tokenizer.json');
  const { kind, name } = declared ?? (await undeclaredKind(directory, json));
  if (kind === 'plain' && !json) {
    throw new UserError(
      `There is no tokenizer.json in ${directory}, which the tokenizer class ${name} needs.`,
      'Copy tokenizer.json of the checkpoint into its folder.',
    );
  }
  const tokens = declaredTokens(kind, {
    config,
    json,
    map: await readJson(files, 'special_tokens_map.json'),
    added: await readJson(files, 'added_tokens.json'),
  });
  const model =
    kind === 'plain'
      ? parseModel(json!)
      : await builtModel(directory, kind, name, json, tokens.roles.get('unk')?.content ?? '[UNK]');
  const steps =
    kind === 'plain'
      ? { normalizer: json!['normalizer'], preTokenizer: json!['pre_tokenizer'] }
      : builtSteps(kind, config, json);
  const normalize = parseNormalizer(steps.normalizer, watch);
  const preTokenize = parsePreTokenizer(steps.preTokenizer, watch);

  const added = addedTokens(kind, json, tokens, model.vocabulary);
  const idOf = new Map(model.vocabulary);
  for (const [id, { content }] of added) idOf.set(content, id);
  const special = roleTokens(tokens.roles, idOf, kind);
  const idsOfRoles = Object.fromEntries(
    [...special].map(([role, content]) => [role, idOf.get(content)!]),
  );
  const specialIds = new Set<number>(Object.values(idsOfRoles));
  for (const [id, token] of added) if (token.special) specialIds.add(id);
  const around = declaredAround(kind, config, json, role => special.get(role));
  const wrapping =
    special.has('cls') && special.has('sep')
      ? { before: [special.get('cls')!], after: [special.get('sep')!] }
      : nothingAround;

  const split = tokenSplitter(added, normalize, flag(config, 'split_special_tokens', false));
  return {
    vocabularySize: largest(idOf.values()) + 1,
    leastSize: largest(model.vocabulary.values()) + 1,
    addedIds: new Map([...added].map(([id, { content }]) => [content, id])),
    special: idsOfRoles,
    specialIds,
    around: aroundText(around),
    aroundIds: idsAround(around, idOf),
    wrapping: aroundText(wrapping),
    notes: json && kind !== 'plain' ? notFollowed(kind, name, json, steps) : [],
    encode(text, place = 'first') {
      const ids: number[] = [];
      split(text, place).forEach((segment, index) => {
        if (typeof segment === 'number') ids.push(segment);
        else {
          const words = preTokenize(segment, index === 0 ? place : 'later');
          for (const id of model.spell(words)) ids.push(id);
        }
      });
      return Int32Array.from(ids);
    },
  };
}

/** The ids of what stands around a text, where all are known. */
function idsAround(
  { before, after }: Around,
  idOf: ReadonlyMap<string, number>,
): TokenizerDescription['aroundIds'] {
  if (![...before, ...after].every(token => idOf.has(token))) return undefined;
  const ids = (tokens: readonly string[]): number[] => tokens.map(token => idOf.get(token)!);
  return { before: ids(before), after: ids(after) };
}

function largest(ids: Iterable<number>): number {
  let most = -1;
  for (const id of ids) most = Math.max(most, id);
  return most;
}

/** All added tokens with their ids, in the order transformers adds them. */
function addedTokens(
  kind: TokenizerKind,
  json: Record<string, unknown> | undefined,
  { roles, named, listed }: DeclaredTokens,
  vocabulary: ReadonlyMap<string, number>,
): AddedTokens {
  const first =
    kind === 'plain' ? [...tokensWithIds(json!['added_tokens'], 'tokenizer.json').values()] : [];
  const already = new Set([...first, ...listed].map(({ content }) => content));
  // A class's usual token that the vocabulary lacks would get an id that the model has no row for.
  const declared = new Set(named.map(({ content }) => content));
  const ofRoles = [...roles.values()].filter(
    ({ content }) => vocabulary.has(content) || declared.has(content),
  );
  const others = [...ofRoles, ...named.filter(token => !ofRoles.includes(token))]
    .filter(({ content }) => !already.has(content))
    .map(token => ({ ...token, special: true }));
  return withIds([...first, ...listed, ...others], vocabulary);
}

/** The tokens of the roles, those that are there. */
function roleTokens(
  roles: ReadonlyMap<SpecialRole, AddedToken>,
  idOf: ReadonlyMap<string, number>,
  kind: TokenizerKind,
): Map<SpecialRole, string> {
  const special = new Map<SpecialRole, string>();
  for (const role of specialRoles) {
    const declared = roles.get(role)?.content;
    const guesses = kind === 'plain' ? (customary[role] ?? []) : [];
    const candidates = declared === undefined ? guesses : [declared];
    const known = candidates.find(candidate => idOf.has(candidate));
    if (known !== undefined) special.set(role, known);
  }
  // RoBERTa wraps in its bos and eos; a masked model's `<s>` is always meant so.
  if (idOf.has('<mask>')) {
    if (idOf.has('<s>') && !special.has('cls')) special.set('cls', '<s>');
    if (idOf.has('</s>') && !special.has('sep')) special.set('sep', '</s>');
  }
  return special;
}
