import { CorruptFileError } from '../../errors';
import { shortJson } from '../../format';
import { isRecord } from '../jsonFiles';
import type { Normalizer } from './normalize';
import type { Place } from './place';
import { whiteSpace, wordCharacters } from './unicode';

/** A token that is found in the text as it is written, before the model spells the rest. */
export interface AddedToken {
  readonly content: string;
  /** Only where no letter or digit touches it. */
  readonly singleWord: boolean;
  /** Takes the white space in front of it, or behind it, with it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Is looked for in the normalized text, in its own normalized form. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A token as the JSON files write it: a text, which is special, or an object with `content`. */
export function parseAddedToken(value: unknown, where: string, special?: boolean): AddedToken {
  const fields = typeof value === 'string' ? { content: value, special: true } : value;
  const malformed = (): CorruptFileError =>
    new CorruptFileError(
      `${where} names a token that is neither a text nor {"content": …}: ${shortJson(value, 80)}.`,
      'Repair the file, or save the tokenizer again with a current version of transformers.',
    );
  if (!isRecord(fields) || typeof fields['content'] !== 'string') throw malformed();
  const flag = (name: string, fallback: boolean): boolean => {
    const given = fields[name] ?? fallback;
    if (typeof given !== 'boolean') throw malformed();
    return given;
  };
  const isSpecial = special ?? flag('special', false);
  return {
    content: fields['content'],
    singleWord: flag('single_word', false),
    lstrip: flag('lstrip', false),
    rstrip: flag('rstrip', false),
    normalized: flag('normalized', !isSpecial),
    special: isSpecial,
  };
}

/** Added tokens with their ids, in the order they were added. */
export type AddedTokens = ReadonlyMap<number, AddedToken>;

/**
 * Gives tokens their ids as the tokenizers library does, whatever the file calls them: that of the
 * vocabulary, else the next one. A token that is named again takes its new flags, but stays special.
 */
export function withIds(
  tokens: Iterable<AddedToken>,
  vocabulary: ReadonlyMap<string, number>,
): AddedTokens {
  const ids = new Map<string, number>();
  const added = new Map<number, AddedToken>();
  let next = vocabulary.size;
  for (const token of tokens) {
    if (token.content === '') continue;
    const id = ids.get(token.content) ?? vocabulary.get(token.content) ?? next;
    ids.set(token.content, id);
    added.set(id, { ...token, special: token.special || added.get(id)?.special === true });
    if (id >= next) next = id + 1;
  }
  return added;
}

/** A stretch of text, or the id of a token that stands there. */
export type Segment = string | number;

const wordBefore = new RegExp(`[${wordCharacters}]$`, 'u');
const wordBehind = new RegExp(`^[${wordCharacters}]`, 'u');
const spaceBefore = new RegExp(`[${whiteSpace}]*$`, 'u');
const spaceBehind = new RegExp(`^[${whiteSpace}]*`, 'u');

interface Sought {
  readonly content: string;
  readonly id: number;
  readonly token: AddedToken;
}

/** The longest of some tokens that stands at a place of a text. */
function matcher(tokens: readonly Sought[]): (text: string, at: number) => Sought | undefined {
  const byContent = new Map(tokens.map(entry => [entry.content, entry]));
  byContent.delete('');
  const byFirst = new Map<number, Sought[]>();
  for (const entry of byContent.values()) {
    const first = entry.content.charCodeAt(0);
    const others = byFirst.get(first);
    if (others) others.push(entry);
    else byFirst.set(first, [entry]);
  }
  for (const entries of byFirst.values()) {
    entries.sort((a, b) => b.content.length - a.content.length);
  }
  return (text, at) =>
    byFirst.get(text.charCodeAt(at))?.find(({ content }) => text.startsWith(content, at));
}

/** Finds tokens in text; of several that begin at one place, the longest. */
function finder(tokens: readonly Sought[], skipSpecial: boolean): (text: string) => Segment[] {
  const matchAt = matcher(tokens);
  return text => {
    const segments: Segment[] = [];
    let done = 0;
    for (let at = 0; at < text.length; at++) {
      const found = matchAt(text, at);
      if (!found) continue;
      const { content, id, token } = found;
      let start = at;
      let end = at + content.length;
      at = end - 1;
      if (skipSpecial && token.special) continue;
      if (token.singleWord) {
        // Two units reach over a surrogate pair.
        if (wordBefore.test(text.slice(Math.max(0, start - 2), start))) continue;
        if (wordBehind.test(text.slice(end, end + 2))) continue;
      }
      // What the token before has taken is not taken twice, but its own text is.
      if (token.lstrip) {
        start = Math.max(done, start - spaceBefore.exec(text.slice(0, start))![0].length);
      }
      if (token.rstrip) end += spaceBehind.exec(text.slice(end))![0].length;
      if (start > done) segments.push(text.slice(done, start));
      if (start < end) segments.push(id);
      done = end;
    }
    if (done < text.length) segments.push(text.slice(done));
    return segments;
  };
}

/**
 * Cuts text at its added tokens: first those that are looked for as they are, then, in what is left
 * and normalized, the others. The stretches that come back are normalized.
 * @param skipSpecial whether special tokens in the text are text (`split_special_tokens`)
 */
export function tokenSplitter(
  tokens: AddedTokens,
  normalize: Normalizer,
  skipSpecial: boolean,
): (text: string, place?: Place) => Segment[] {
  const entries = [...tokens].map(([id, token]) => ({ id, token }));
  const plain = finder(
    entries
      .filter(({ token }) => !token.normalized)
      .map(entry => ({ ...entry, content: entry.token.content })),
    skipSpecial,
  );
  const normalized = finder(
    entries
      .filter(({ token }) => token.normalized)
      .map(entry => ({ ...entry, content: normalize(entry.token.content) })),
    skipSpecial,
  );
  return (text, place) =>
    plain(text).flatMap((segment, index) =>
      typeof segment === 'number'
        ? [segment]
        : normalized(normalize(segment, index === 0 ? place : 'later')),
    );
}
