import type { JsonObject } from '../../../jsonText';

/** How the tokens of a file spell text. */
export type Spelling = 'bytes' | 'llama' | 'phi3' | 'gemma';

const space = { String: ' ' };
const underlined = { type: 'Replace', pattern: space, content: '▁' };
const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };

/**
 * What happens to text before it is spelled, and to tokens that become text again, as tokenizer.json
 * writes it.
 * @param words what bytes are cut into, see `wordPatterns`
 */
export function stepsOf(spelling: Spelling, words: string | undefined): JsonObject {
  switch (spelling) {
    case 'bytes':
      return {
        normalizer: null,
        pre_tokenizer: byteWords(words),
        decoder: {
          type: 'ByteLevel',
          add_prefix_space: true,
          trim_offsets: true,
          use_regex: true,
        },
      };
    case 'gemma':
      return {
        normalizer: underlined,
        pre_tokenizer: {
          type: 'Split',
          pattern: space,
          behavior: 'MergedWithPrevious',
          invert: false,
        },
        decoder: decoderOf([]),
      };
    case 'phi3':
      return {
        normalizer: {
          type: 'Sequence',
          normalizers: [{ type: 'Prepend', prepend: '▁' }, underlined],
        },
        pre_tokenizer: null,
        decoder: decoderOf([strip]),
      };
    case 'llama':
      return {
        normalizer: null,
        pre_tokenizer: {
          type: 'Metaspace',
          replacement: '▁',
          prepend_scheme: 'first',
          split: false,
        },
        decoder: decoderOf([strip]),
      };
  }
}

function byteWords(words = 'gpt2'): JsonObject {
  const isGpt2 = words === 'gpt2';
  const bytes = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: isGpt2,
  };
  if (isGpt2) return bytes;
  const split = { type: 'Split', pattern: { Regex: words }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, bytes] };
}

const decoderOf = (last: readonly JsonObject[]): JsonObject => ({
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...last,
  ],
});

/** The `model` of tokenizer.json without its vocabulary. */
export const modelOf = (spelling: Spelling): JsonObject => ({
  type: 'BPE',
  dropout: null,
  unk_token: spelling === 'gemma' ? '<unk>' : null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: spelling !== 'bytes',
  byte_fallback: spelling !== 'bytes',
  ignore_merges: false,
});
