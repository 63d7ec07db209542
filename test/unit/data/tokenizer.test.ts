import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Tokenizer } from '@huggingface/tokenizers';
import { loadTokenizer, requireMask } from '../../../src/data/tokenizer';
import { openTokenizer } from '../../../src/data/tokenizer/open';
import { CorruptFileError, UnsupportedError, UserError } from '../../../src/errors';
import { examples, temporaryFolder } from './temporary';
import { remedyText } from '../../support/remedyText';

const read = (name: string): string => readFileSync(join(examples, name), 'utf8');
const lines = read('kjv.txt').split('\n').slice(0, 3000);

interface TokenizerJson {
  model: { vocab: Record<string, number>; merges?: [string, string][] };
}
const bertJson = JSON.parse(read('bert-kjv/tokenizer.json')) as TokenizerJson;
const gpt2Json = JSON.parse(read('gpt2-kjv/tokenizer.json')) as TokenizerJson;

describe('the tokenizer of a checkpoint', () => {
  it('spells the first verse as the vocabulary of BERT does, without special tokens', async () => {
    const tokenizer = await loadTokenizer(join(examples, 'bert-kjv'));
    const words = 'in the beg ##in ##n ##ing god c ##reat ##ed the heaven and the earth .'.split(
      ' ',
    );
    assert.deepEqual(
      [...(await tokenizer.encode(lines[0]!))],
      words.map(word => bertJson.model.vocab[word]),
    );
    assert.equal(tokenizer.vocabularySize, 1024);
    assert.deepEqual(tokenizer.special, { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 });
    assert.deepEqual([...tokenizer.specialIds].sort(), [0, 1, 2, 3, 4]);
    assert.equal(requireMask(tokenizer), 4);
  });

  it('spells the first verse as the vocabulary of GPT-2 does, line break included', async () => {
    const tokenizer = await loadTokenizer(join(examples, 'gpt2-kjv'));
    const pieces = 'I n Ġthe Ġbeg in n ing ĠGod Ġc reat ed Ġthe Ġheaven Ġand Ġthe Ġearth . Ċ';
    assert.deepEqual(
      [...(await tokenizer.encode(`${lines[0]}\n`))],
      pieces.split(' ').map(piece => gpt2Json.model.vocab[piece]),
    );
    assert.equal(tokenizer.vocabularySize, 1024);
    assert.deepEqual(tokenizer.special, { unk: 0, bos: 0, eos: 0 });
    assert.throws(() => requireMask(tokenizer), { name: 'UserError', message: /no mask token/ });
  });

  it('loses nothing of the text: decoding gives the bytes back', async () => {
    const tokenizer = await loadTokenizer(join(examples, 'gpt2-kjv'));
    const library = new Tokenizer(gpt2Json, {});
    for (const text of [...lines.slice(0, 500), 'Ωμέγα — 漢字 🦉\tx', '  two  spaces\n\n']) {
      const decoded = library.decode([...(await tokenizer.encode(text))], {
        clean_up_tokenization_spaces: false,
      });
      assert.equal(decoded, text);
    }
  });

  it('reads the vocab.txt of BERT as the tokenizer.json of the same vocabulary', async () => {
    const folder = temporaryFolder({
      'vocab.txt': `${Object.keys(bertJson.model.vocab).join('\n')}\n`,
    });
    const modern = await loadTokenizer(join(examples, 'bert-kjv'));
    const legacy = await loadTokenizer(folder);
    for (const line of [...lines, 'Éloi, [MASK] 漢字']) {
      assert.deepEqual(await legacy.encode(line), await modern.encode(line), line);
    }
    assert.deepEqual(legacy.special, modern.special);
    assert.deepEqual(legacy.specialIds, modern.specialIds);
    assert.equal(legacy.vocabularySize, 1024);
  });

  it('keeps capitals where tokenizer_config.json says so', async () => {
    const folder = temporaryFolder({
      'vocab.txt': '[UNK]\nGod\ngod\n',
      'tokenizer_config.json': '{"do_lower_case": false}',
    });
    assert.deepEqual([...(await (await loadTokenizer(folder)).encode('God god GOD'))], [1, 2, 0]);
  });

  it('reads the vocab.json and merges.txt of GPT-2 as the tokenizer.json of the same', async () => {
    const merges = gpt2Json.model.merges!.map(pair => pair.join(' ')).join('\n');
    const folder = temporaryFolder({
      'vocab.json': JSON.stringify(gpt2Json.model.vocab),
      'merges.txt': `#version: 0.2\n${merges}\n`,
      'added_tokens.json': '{"<|extra|>": 1024}',
    });
    const modern = await loadTokenizer(join(examples, 'gpt2-kjv'));
    const legacy = await loadTokenizer(folder);
    for (const line of [...lines, '# # x', 'a<|endoftext|>b']) {
      assert.deepEqual(await legacy.encode(line), await modern.encode(line), line);
    }
    assert.deepEqual(legacy.special, { bos: 0, eos: 0, unk: 0 });
    assert.deepEqual([...(await legacy.encode('<|extra|>'))], [1024]);
    assert.equal(legacy.vocabularySize, 1025);
  });

  it("takes RoBERTa's <s> and </s> as cls and sep", async () => {
    const vocab = { '<s>': 0, '<pad>': 1, '</s>': 2, '<unk>': 3, a: 4, '<mask>': 5 };
    const folder = temporaryFolder({
      'vocab.json': JSON.stringify(vocab),
      'merges.txt': '#version: 0.2\n',
      'special_tokens_map.json': JSON.stringify({ mask_token: { content: '<mask>' } }),
    });
    const { special, specialIds } = await loadTokenizer(folder);
    assert.deepEqual(special, { mask: 5, pad: 1, unk: 3, bos: 0, eos: 2, cls: 0, sep: 2 });
    assert.deepEqual([...specialIds].sort(), [0, 1, 2, 3, 5]);
  });

  it('drops what a vocabulary without an unknown token cannot spell', async () => {
    const folder = temporaryFolder({ 'vocab.json': '{"a": 0, "b": 1}', 'merges.txt': '' });
    assert.deepEqual([...(await (await loadTokenizer(folder)).encode('axb'))], [0, 1]);
  });

  const refusals: [string, Record<string, string>, new (...rest: never[]) => Error, RegExp][] = [
    ['no tokenizer', {}, UserError, /no tokenizer/],
    [
      'broken JSON',
      { 'tokenizer.json': '{"model": ' },
      CorruptFileError,
      /tokenizer\.json is not JSON/,
    ],
    ['JSON of another kind', { 'tokenizer.json': '[]' }, CorruptFileError, /JSON object/],
    ['JSON without a model', { 'tokenizer.json': '{}' }, CorruptFileError, /cannot be used/],
    [
      'a model of no known type',
      { 'tokenizer.json': '{"model": {"type": "Abacus"}}' },
      UnsupportedError,
      /Abacus/,
    ],
    [
      'an id beyond every vocabulary',
      { 'tokenizer.json': '{"model": {"type": "WordPiece", "vocab": {"a": 2000000000}}}' },
      CorruptFileError,
      /1?2000000000/,
    ],
    [
      'a vocabulary without merges',
      { 'vocab.json': '{"a": 0}' },
      UserError,
      /merges\.txt is missing/,
    ],
    ['merges without a vocabulary', { 'merges.txt': 'a b' }, UserError, /vocab\.json is missing/],
    [
      'a vocabulary of texts',
      { 'vocab.json': '{"a": "0"}', 'merges.txt': '' },
      CorruptFileError,
      /every token to an id/,
    ],
    [
      'merges of three tokens',
      { 'vocab.json': '{"a": 0}', 'merges.txt': 'a b c' },
      CorruptFileError,
      /two tokens/,
    ],
    [
      'nested lists without end',
      { 'tokenizer.json': `{"a":${'['.repeat(5_000_000)}` },
      CorruptFileError,
      /lists within lists/,
    ],
    [
      'objects without end',
      { 'tokenizer.json': `{"a":[${Array(2_500_000).fill('{}').join(',')}]}` },
      CorruptFileError,
      /more than 4000000 values/,
    ],
    [
      'a folder without vocabulary and merges',
      { 'config.json': '{"model_type": "gpt2"}', 'vocab.txt': 'a' },
      UserError,
      /vocab\.json and merges\.txt are missing/,
    ],
    [
      'a fairseq dictionary',
      { 'vocab.txt': 'the 12\nof 9\n', 'bpe.codes': 't h 7\n' },
      UnsupportedError,
      /bpe\.codes/,
    ],
    [
      'a SentencePiece model',
      { 'spiece.model': 'x' },
      UnsupportedError,
      /SentencePiece.*spiece\.model/,
    ],
  ];
  for (const [what, files, kind, message] of refusals) {
    it(`explains ${what}`, async () => {
      const folder = temporaryFolder(files);
      await assert.rejects(openTokenizer(folder, { set: () => undefined }), (error: unknown) => {
        assert.ok(error instanceof UserError && error instanceof kind, String(error));
        assert.match(error.message, message);
        assert.ok(remedyText(error.remedy).length > 10);
        return true;
      });
    });
  }
});
