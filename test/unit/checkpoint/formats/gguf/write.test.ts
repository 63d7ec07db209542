import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import {
  encodingOf,
  encodings,
  type EncodingName,
} from '../../../../../src/checkpoint/formats/gguf/write/encodings';
import { text, type Entry } from '../../../../../src/checkpoint/formats/gguf/write/entries';
import { headOf } from '../../../../../src/checkpoint/formats/gguf/write/file';
import {
  tokenizerEntries,
  type WrittenTokenizer,
} from '../../../../../src/checkpoint/formats/gguf/write/tokenizer';
import { UnsupportedError } from '../../../../../src/errors';
import { fixture } from '../../../../support/fixtures';
import { uniform } from '../../../../support/random';
import { temporaryFolder } from '../../files';
import { ggufFixture } from './ggufFile';

test('numbers are stored with the very bytes of the reference package', async () => {
  const golden = await openCheckpoint(fixture('formats/gguf/written.safetensors'));
  const values = await golden.readBytes('values');
  for (const name of ['q8_0', 'f16', 'bf16'] as const) {
    const expected = await golden.readBytes(name);
    assert.deepEqual(encodings[name].encode(values, 'F32'), expected, name);
  }
  await golden.close();
});

test('what is stored as Q8_0 is at most half a step of its block away', () => {
  for (let seed = 0; seed < 200; seed++) {
    const values = uniform(seed, 64).map(value => value * 10 ** ((seed % 9) - 5));
    const bytes = encodings.q8_0.encode(new Uint8Array(values.buffer), 'F32')!;
    for (let block = 0; block < 2; block++) {
      const some = values.subarray(block * 32, block * 32 + 32);
      const factor = Math.max(...some.map(Math.abs)) / 127;
      const whole = new Int8Array(bytes.buffer, block * 34 + 2, 32);
      some.forEach((value, i) =>
        assert.ok(Math.abs(whole[i]! * factor - value) <= factor * 0.5001, `seed ${seed}`),
      );
    }
  }
});

test('values that a type cannot hold are told from those that it can', () => {
  const large = new Uint8Array(new Float32Array(32).fill(70_000).buffer);
  assert.equal(encodings.f16.encode(large, 'F32'), undefined);
  assert.ok(encodings.bf16.encode(large, 'F32'));
  assert.ok(encodings.q8_0.encode(large, 'F32'));
  const huge = new Uint8Array(new Float32Array(32).fill(1e8).buffer);
  assert.equal(encodings.q8_0.encode(huge, 'F32'), undefined);
});

test('norms, biases and positions stay float32, and rows that are no whole blocks become float16', () => {
  const cases: readonly (readonly [string, readonly number[], EncodingName])[] = [
    ['blk.0.attn_norm.weight', [64], 'f32'],
    ['blk.0.attn_q.bias', [64], 'f32'],
    ['position_embd.weight', [128, 64], 'f32'],
    ['blk.0.attn_q.weight', [64, 64], 'q8_0'],
    ['blk.0.ffn_down.weight', [64, 172], 'f16'],
  ];
  for (const [name, shape, expected] of cases) {
    assert.equal(encodingOf(name, shape, 'q8_0'), encodings[expected], name);
  }
});

/** The tokenizer of a file of the reference package, as it is written again. */
async function rewritten(name: string, changes: Partial<WrittenTokenizer> = {}): Promise<Entry[]> {
  const checkpoint = await openCheckpoint(ggufFixture(name));
  const json = await checkpoint.companions.get('tokenizer.json')!();
  await checkpoint.close();
  const source = JSON.parse(json) as {
    readonly model: { readonly vocab: Readonly<Record<string, number>> };
  };
  const id = (entry: string): number | undefined => {
    const value = Number(checkpoint.metadata[`tokenizer.ggml.${entry}_token_id`]);
    return Number.isNaN(value) ? undefined : value;
  };
  const [bos, eos, unk, pad] = ['bos', 'eos', 'unknown', 'padding'].map(id);
  const isPut = checkpoint.metadata['tokenizer.ggml.add_bos_token'] === 'true';
  return tokenizerEntries({
    json: source,
    special: {
      ...(bos !== undefined && { bos }),
      ...(eos !== undefined && { eos }),
      ...(unk !== undefined && { unk }),
      ...(pad !== undefined && { pad }),
    },
    around: { before: isPut ? [bos!] : [], after: [] },
    vocabulary: Object.keys(source.model.vocab).length,
    ...changes,
  });
}

for (const [name, architecture] of [
  ['gpt2', 'gpt2'],
  ['llama3', 'llama'],
  ['qwen2', 'qwen2'],
  ['llama', 'llama'],
] as const) {
  test(`the tokenizer of tokens-${name}.gguf is the same after it was written again`, async t => {
    const entries = await rewritten(`tokens-${name}.gguf`);
    const { bytes } = headOf([['general.architecture', text(architecture)], ...entries], []);
    const file = join(await temporaryFolder(t), 'again.gguf');
    writeFileSync(file, bytes);
    const [before, after] = [
      await openCheckpoint(ggufFixture(`tokens-${name}.gguf`)),
      await openCheckpoint(file),
    ];
    const [own, again] = await Promise.all(
      [before, after].map(
        async ({ companions }) => JSON.parse(await companions.get('tokenizer.json')!()) as unknown,
      ),
    );
    assert.deepEqual(again, own);
    const kept = [
      'tokens',
      'token_type',
      'merges',
      'scores',
      'bos_token_id',
      'eos_token_id',
      'add_bos_token',
    ];
    for (const key of kept.map(entry => `tokenizer.ggml.${entry}`)) {
      if (key in before.metadata) assert.equal(after.metadata[key], before.metadata[key], key);
    }
    await Promise.all([before.close(), after.close()]);
  });
}

/** What keeps a tokenizer from being written. */
const refusals: readonly (readonly [string, object, RegExp])[] = [
  ['of words', { model: { type: 'WordPiece', vocab: {} } }, /"WordPiece", not of byte pairs/],
  ['of Unigram', { model: { type: 'Unigram', vocab: [] } }, /"Unigram"/],
  [
    'that cuts words by a pattern without a name',
    {
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Split', pattern: { Regex: 'a+' }, behavior: 'Isolated', invert: false },
          { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
        ],
      },
      model: { type: 'BPE', vocab: {}, merges: [] },
    },
    /no known name/,
  ],
  [
    'that puts a space before bytes',
    {
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, use_regex: true },
      model: { type: 'BPE', vocab: {}, merges: [] },
    },
    /no known name/,
  ],
  [
    'that makes all letters small',
    { normalizer: { type: 'Lowercase' }, model: { type: 'BPE', vocab: {}, merges: [] } },
    /changes text before it is cut \("Lowercase"\)/,
  ],
  [
    'of pieces that are merged in some ways alone',
    {
      pre_tokenizer: { type: 'Metaspace', prepend_scheme: 'first' },
      model: {
        type: 'BPE',
        byte_fallback: true,
        vocab: { a: 0, b: 1, ab: 2, ba: 3, aba: 4 },
        merges: [
          ['a', 'b'],
          ['b', 'a'],
          ['ab', 'a'],
        ],
      },
    },
    /merges pieces otherwise than a model of SentencePiece/,
  ],
  [
    'with more tokens than the model has rows',
    {
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
      model: { type: 'BPE', vocab: { a: 99 }, merges: [] },
    },
    /for which the model has no row/,
  ],
];

for (const [what, json, message] of refusals) {
  test(`a tokenizer ${what} is refused, and the way that is left is named`, () => {
    const around = { before: [], after: [] };
    assert.throws(
      () =>
        tokenizerEntries({
          json: json as WrittenTokenizer['json'],
          special: {},
          around,
          vocabulary: 10,
        }),
      (error: unknown) => {
        assert.ok(error instanceof UnsupportedError);
        assert.match(error.message, message);
        assert.match(String(error.remedy), /convert_hf_to_gguf\.py/);
        return true;
      },
    );
  });
}

test('a tokenizer that puts something else than its beginning before a text is refused', async () => {
  await assert.rejects(
    rewritten('tokens-llama.gguf', { around: { before: [5], after: [] } }),
    /puts other tokens in front of a text/,
  );
});
