import { UnsupportedError } from '../../errors';
import { isRecord } from '../jsonFiles';
import { flatParts, type Part } from './parts';

/** The tokens that transformers puts in front of and behind every text it is given. */
export interface Around {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export const nothingAround: Around = { before: [], after: [] };

/** Such tokens as a person reads them: `[CLS] … [SEP]`; empty where there are none. */
export function aroundText({ before, after }: Around): string {
  return before.length + after.length === 0 ? '' : [...before, '…', ...after].join(' ');
}

/** A `["[SEP]", 3]`. */
function namedToken(part: Part, name: string): string {
  const [token, id] = part.list(name);
  if (typeof token !== 'string' || typeof id !== 'number') throw part.malformed(name);
  return token;
}

/** The `single` of a template: special tokens, and the text once. */
function template(part: Part): Around {
  const specialTokens = part.get('special_tokens') ?? {};
  const before: string[] = [];
  const after: string[] = [];
  let texts = 0;
  for (const piece of part.list('single')) {
    const special = isRecord(piece) ? piece['SpecialToken'] : undefined;
    const sequence = isRecord(piece) ? piece['Sequence'] : undefined;
    if (isRecord(special) && typeof special['id'] === 'string') {
      if (!isRecord(specialTokens) || !isRecord(specialTokens[special['id']])) {
        throw part.malformed('special_tokens');
      }
      (texts === 0 ? before : after).push(special['id']);
    } else if (isRecord(sequence)) texts++;
    else throw part.malformed('single');
  }
  if (texts === 1) return { before, after };
  throw new UnsupportedError(
    `The post-processor in tokenizer.json holds a text ${texts} times.`,
    'Take the tokenizer.json of the original checkpoint.',
  );
}

function aroundOf(part: Part): Around {
  switch (part.type) {
    case 'ByteLevel':
      return nothingAround;
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { before: [namedToken(part, 'cls')], after: [namedToken(part, 'sep')] };
    case 'TemplateProcessing':
      return template(part);
    default:
      throw part.unsupported();
  }
}

/**
 * What the `post_processor` of tokenizer.json puts around a text.
 * @throws UnsupportedError for a kind that is not known, CorruptFileError for a malformed one
 */
export function parsePostProcessor(value: unknown): Around {
  return flatParts(value, 'post-processor', 'processors')
    .map(aroundOf)
    .reduce(
      (inner, outer) => ({
        before: [...outer.before, ...inner.before],
        after: [...inner.after, ...outer.after],
      }),
      nothingAround,
    );
}
