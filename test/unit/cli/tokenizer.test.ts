import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { example } from '../../support/fixtures';
import { copyOf } from '../run/support';
import { outcomeOf, start } from './process';
import { cli } from './support';

const text = ['--data', example('kjv.txt'), '--batch', '2', '--sequence-length', '16'];
const quick = [...text, '--eval-batches', '1'];

/** A copy of an example with fields of its tokenizer's files changed. */
function checkpoint(name: string, config: object, json: object = {}): string {
  const folder = copyOf(example(name));
  const path = join(folder, 'tokenizer.json');
  const own = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...own, ...json }));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return folder;
}

describe("a checkpoint's tokenizer on the command line", () => {
  it('is refused by name in every command that reads text', async () => {
    const folder = checkpoint('bert-kjv', { tokenizer_class: 'BertJapaneseTokenizer' });
    const out = join(folder, 'out');
    for (const args of [
      ['evaluate', folder, ...quick],
      ['train', folder, ...text, '--steps', '1', '--out', out],
      ['grow', folder, '--layers', '4', ...text, '--steps', '1', '--out', out],
    ]) {
      const { code, stderr } = await cli(...args);
      assert.equal(code, 1, args[0]);
      assert.match(stderr, /"BertJapaneseTokenizer" is not supported/, args[0]);
    }
  });

  it('is refused by a plan that would learn, and named by inspect', async () => {
    const folder = checkpoint('bert-kjv', { tokenizer_class: 'BertJapaneseTokenizer' });
    const learned = await cli('plan', folder, '--layers', '4', '--batch', '2');
    assert.equal(learned.code, 1, learned.stdout);
    assert.match(learned.stdout + learned.stderr, /"BertJapaneseTokenizer" is not supported/);
    const { stdout, stderr, code } = await cli('inspect', folder);
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, /"BertJapaneseTokenizer" is not supported/);
  });

  it('that never ends is stopped with one error, in the program as people start it', async () => {
    const pattern = { Regex: '(\\w+\\s?)+$' };
    const folder = checkpoint(
      'gpt2-kjv',
      { tokenizer_class: 'PreTrainedTokenizerFast' },
      { pre_tokenizer: { type: 'Split', pattern, behavior: 'Isolated', invert: false } },
    );
    const { code, stderr } = await outcomeOf(start(['evaluate', folder, ...quick]));
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /^Error: The pattern .* in tokenizer\.json is matched for more than 5 sec/,
    );
    assert.equal(stderr.trim().split('\n').length, 2, stderr);
  });

  it('may add a token that the model has no embedding for, until text has it', async () => {
    const config = { tokenizer_class: 'GPT2Tokenizer', pad_token: '[PAD]' };
    const folder = checkpoint('gpt2-kjv', config);
    const fine = await cli('evaluate', folder, ...quick);
    assert.equal(fine.code, 0, fine.stderr);
    const data = join(folder, 'padded.txt');
    writeFileSync(
      data,
      'In the beginning [PAD] God created the heaven and the earth.\n'.repeat(20),
    );
    const own = ['--data', data, '--batch', '2', '--sequence-length', '16'];
    const { code, stderr } = await cli('evaluate', folder, ...own);
    assert.equal(code, 1);
    assert.match(stderr, /The text has "\[PAD\]", which the tokenizer adds as token 1024/);
  });
});
