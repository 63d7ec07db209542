import { CorruptFileError, UnsupportedError } from '../../errors';
import { isRecord } from '../jsonFiles';

/** Sequences within sequences; published tokenizers have one. */
const deepest = 16;

const repair = 'Take the tokenizer.json of the original checkpoint.';

/** Reads the fields of one part (a normalizer, a pre-tokenizer, a model) of tokenizer.json. */
export class Part {
  readonly type: string;

  constructor(
    /** What it is, for messages: "normalizer". */
    readonly kind: string,
    private readonly fields: Record<string, unknown>,
  ) {
    const type = fields['type'];
    if (typeof type !== 'string') throw this.malformed('type');
    this.type = type;
  }

  /** A true or false; `fallback` where the field is left out or null. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.fields[name] ?? fallback;
    if (typeof value !== 'boolean') throw this.malformed(name);
    return value;
  }

  text(name: string, fallback?: string): string {
    const value = this.fields[name] ?? fallback;
    if (typeof value !== 'string') throw this.malformed(name);
    return value;
  }

  /** One of a few words. */
  choice<Word extends string>(name: string, words: readonly Word[], fallback?: Word): Word {
    const value = this.text(name, fallback);
    const word = words.find(candidate => candidate === value);
    if (word === undefined) throw this.malformed(name);
    return word;
  }

  list(name: string): readonly unknown[] {
    const value = this.fields[name];
    if (!Array.isArray(value)) throw this.malformed(name);
    return value as unknown[];
  }

  get(name: string): unknown {
    return this.fields[name];
  }

  malformed(name: string): CorruptFileError {
    const type = this.type === undefined ? '' : ` ${JSON.stringify(this.type)}`;
    return new CorruptFileError(
      `The ${this.kind}${type} in tokenizer.json has no usable ${JSON.stringify(name)}.`,
      repair,
    );
  }

  unsupported(what = this.type): UnsupportedError {
    return new UnsupportedError(
      `The tokenizer has a ${this.kind} that is not supported: ${JSON.stringify(what)}.`,
      'Use a checkpoint with the tokenizer of BERT, RoBERTa, XLM-RoBERTa, GPT-2, Llama, Gemma or Qwen2.',
    );
  }
}

/**
 * The parts in the order they apply: none for null, several for a "Sequence".
 * @param list the field of a "Sequence" that holds its parts
 */
export function flatParts(value: unknown, kind: string, list: string, depth = 0): Part[] {
  if (value === undefined || value === null) return [];
  if (!isRecord(value) || depth > deepest) {
    throw new CorruptFileError(
      `A ${kind} in tokenizer.json is ${depth > deepest ? 'nested too deeply' : 'no object'}.`,
      repair,
    );
  }
  const part = new Part(kind, value);
  if (part.type !== 'Sequence') return [part];
  return part.list(list).flatMap(inner => flatParts(inner, kind, list, depth + 1));
}
