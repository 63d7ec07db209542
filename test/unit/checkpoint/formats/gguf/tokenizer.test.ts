import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { UnsupportedError, UserError } from '../../../../../src/errors';
import { loadTokenizer } from '../../../../../src/data/tokenizer';
import { readDeclaration } from '../../../../../src/data/tokenizer/classes';
import { openTokenizer } from '../../../../../src/data/tokenizer/open';
import { copyCompanions } from '../../../../../src/run/write/companions';
import { fixtureJson } from '../../../../support/fixtures';
import { assertUserError, put, temporaryFolder } from '../../files';
import { asText, asTexts, gguf, ggufFixture } from './ggufFile';

/** Texts with their ids, as transformers has them of the same file. */
type Expected = readonly (readonly [text: string, ids: readonly number[]])[];
const expected = fixtureJson<Readonly<Record<string, Expected>>>('formats/gguf/tokens.json');

for (const [name, texts] of Object.entries(expected)) {
  test(`the ids of a ${name} tokenizer in a file's metadata are those of transformers`, async () => {
    const checkpoint = await openCheckpoint(ggufFixture(`tokens-${name}.gguf`));
    const tokenizer = await openTokenizer(checkpoint, { set: () => undefined });
    await checkpoint.close();
    for (const [text, ids] of texts) assert.deepEqual([...tokenizer.encode(text)], ids, text);
  });
}

test('special tokens are those that the metadata names, and stand around a text where it says so', async () => {
  const checkpoint = await openCheckpoint(ggufFixture('tokens-llama.gguf'));
  const tokenizer = await loadTokenizer(checkpoint);
  await checkpoint.close();
  await tokenizer.close();
  assert.deepEqual(tokenizer.special, { bos: 1, eos: 2, unk: 0 });
  assert.equal(tokenizer.around, '<s> …');
  assert.deepEqual(tokenizer.aroundIds, { before: [1], after: [] });
});

test('a tokenizer beside the file is used before that of its metadata', async t => {
  const folder = await temporaryFolder(t);
  await copyFile(ggufFixture('tokens-gpt2.gguf'), join(folder, 'model.gguf'));
  const model = { type: 'BPE', vocab: { x: 0 }, merges: [] };
  await put(folder, 'tokenizer.json', JSON.stringify({ model, added_tokens: [] }));
  const checkpoint = await openCheckpoint(folder);
  await checkpoint.close();
  assert.equal(checkpoint.companions.size, 0);
  const tokenizer = await openTokenizer(checkpoint, { set: () => undefined });
  assert.deepEqual([...tokenizer.encode('x')], [0]);
});

test('what is written beside a grown model is the tokenizer that the file tells', async t => {
  const folder = await temporaryFolder(t);
  const checkpoint = await openCheckpoint(ggufFixture('tokens-llama3.gguf'));
  const { files } = await copyCompanions(checkpoint, folder);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['tokenizer.json', 'tokenizer_config.json'],
  );
  const own = await openTokenizer(checkpoint, { set: () => undefined });
  await checkpoint.close();
  const written = await openTokenizer(folder, { set: () => undefined });
  for (const [text] of expected['llama3']!) {
    assert.deepEqual(written.encode(text), own.encode(text), text);
  }
  assert.deepEqual(written.special, own.special);
});

/** What the metadata says of a tokenizer, and what is said of that. */
const unknown: readonly (readonly [string, readonly (readonly [string, Buffer])[], RegExp])[] = [
  ['without tokens', [['tokenizer.ggml.model', asText('gpt2')]], /holds none/],
  [
    'of another kind',
    [
      ['tokenizer.ggml.model', asText('rwkv')],
      ['tokenizer.ggml.tokens', asTexts(['a'])],
    ],
    /of the kind "rwkv"/,
  ],
  ['of no kind', [['tokenizer.ggml.tokens', asTexts(['a'])]], /names no kind/],
  [
    'with words that are not known',
    [
      ['tokenizer.ggml.model', asText('gpt2')],
      ['tokenizer.ggml.pre', asText('viking')],
      ['tokenizer.ggml.tokens', asTexts(['a'])],
    ],
    /cuts text into words in a way that is not known \("viking"\)/,
  ],
];

for (const [what, values, says] of unknown) {
  test(`a tokenizer ${what} is not made up: who needs it is told why, and growing goes on`, async t => {
    const folder = await temporaryFolder(t);
    const checkpoint = await openCheckpoint(await put(folder, 'model.gguf', gguf({ values })));
    await assertUserError(loadTokenizer(checkpoint), UnsupportedError, says);
    await assertUserError(readDeclaration(checkpoint), UnsupportedError, says);
    const { files, notes } = await copyCompanions(checkpoint, join(folder, 'grown'));
    await checkpoint.close();
    assert.deepEqual(files, []);
    assert.match((await notes())[0]!.message, says);
  });
}

/** Damaged vocabularies, and what is said of them. */
const damaged: readonly (readonly [string, readonly (readonly [string, Buffer])[], RegExp])[] = [
  ['merges of three', [['tokenizer.ggml.merges', asTexts(['a b c'])]], /not two tokens/],
  ['scores that are texts', [['tokenizer.ggml.scores', asTexts(['1'])]], /list of numbers/],
  [
    'tokens of millions of letters',
    [['tokenizer.ggml.tokens', asTexts(['x'.repeat(6_000_000)])]],
    /far longer than words/,
  ],
];

for (const [what, more, says] of damaged) {
  test(`a vocabulary with ${what} is refused when it is needed`, async t => {
    const own = more.some(([key]) => key === 'tokenizer.ggml.tokens');
    const tokens: readonly (readonly [string, Buffer])[] = own
      ? []
      : [['tokenizer.ggml.tokens', asTexts(['a', 'b'])]];
    const values = [['tokenizer.ggml.model', asText('llama')] as const, ...tokens, ...more];
    const path = await put(await temporaryFolder(t), 'model.gguf', gguf({ values }));
    const checkpoint = await openCheckpoint(path);
    await assertUserError(loadTokenizer(checkpoint), UserError, says);
    await checkpoint.close();
  });
}
