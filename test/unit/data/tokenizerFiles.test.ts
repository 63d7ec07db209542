import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openTokenizer, type OpenTokenizer } from '../../../src/data/tokenizer/open';
import { CorruptFileError, UnsupportedError, UserError } from '../../../src/errors';
import { examples, temporaryFolder } from './temporary';
import { remedyText } from '../../support/remedyText';

type Fields = Record<string, unknown>;

/** An example's tokenizer with fields of its files changed. */
function open(example: string, json: Fields = {}, config: Fields = {}): Promise<OpenTokenizer> {
  const text = readFileSync(join(examples, example, 'tokenizer.json'), 'utf8');
  const folder = temporaryFolder({
    'tokenizer.json': JSON.stringify({ ...(JSON.parse(text) as Fields), ...json }),
    'tokenizer_config.json': JSON.stringify(config),
  });
  return openTokenizer(folder, { set: () => undefined });
}

const said = ({ notes }: OpenTokenizer): string => notes.map(({ message }) => message).join();

async function refused(opening: Promise<unknown>, kind: typeof UserError): Promise<string> {
  let message = '';
  await assert.rejects(opening, (error: unknown) => {
    assert.ok(error instanceof UserError && error instanceof kind, String(error));
    assert.ok(remedyText(error.remedy).length > 10);
    message = error.message;
    return true;
  });
  return message;
}

describe('the class of a tokenizer', () => {
  for (const name of [
    'BertJapaneseTokenizer',
    'BertweetTokenizer',
    'PhobertTokenizer',
    'T5Tokenizer',
    'T5TokenizerFast',
    'MyOwnTokenizer',
  ]) {
    it(`is refused by name: ${name}`, async () => {
      const message = await refused(
        open('bert-kjv', {}, { tokenizer_class: name }),
        UnsupportedError,
      );
      assert.match(message, new RegExp(`"${name}" is not supported`));
    });
  }

  it('is refused when its vocabulary is one of pieces and the file has none', async () => {
    const config = { tokenizer_class: 'XLMRobertaTokenizerFast' };
    assert.match(
      await refused(open('bert-kjv', {}, config), UnsupportedError),
      /"WordPiece" model.*XLMRobertaTokenizerFast, which is Unigram/,
    );
  });

  it('is refused when it is code that comes with the checkpoint', async () => {
    const config = { auto_map: { AutoTokenizer: ['tokenizer.Mine', null] } };
    assert.match(await refused(open('gpt2-kjv', {}, config), UnsupportedError), /Python code/);
  });

  it('is refused when tokenizer.json holds another model', async () => {
    const config = { tokenizer_class: 'BertTokenizer' };
    assert.match(
      await refused(open('gpt2-kjv', {}, config), UnsupportedError),
      /"BPE" model.*BertTokenizer/,
    );
  });

  it('is refused when its files are others than these', async () => {
    const config = { tokenizer_class: 'GPT2Tokenizer', fast_tokenizer_files: ['tokenizer.4.json'] };
    assert.match(
      await refused(open('gpt2-kjv', {}, config), UnsupportedError),
      /fast_tokenizer_files/,
    );
  });

  it('says that a flag is neither true nor false', async () => {
    const config = { tokenizer_class: 'BertTokenizer', do_lower_case: 'no' };
    assert.match(await refused(open('bert-kjv', {}, config), CorruptFileError), /do_lower_case/);
  });
});

describe('what tokenizer.json says and transformers does not follow', () => {
  const bert = { tokenizer_class: 'BertTokenizer' };
  const gpt2 = { tokenizer_class: 'GPT2Tokenizer' };

  it('is said of a flag of tokenizer_config.json that says the opposite', async () => {
    const capitals = await open('bert-kjv', {}, { ...bert, do_lower_case: false });
    assert.match(said(capitals), /^The normalizer in tokenizer\.json is not used/);
    const spaced = await open('gpt2-kjv', {}, { ...gpt2, add_prefix_space: true });
    assert.match(said(spaced), /^The pre-tokenizer in tokenizer\.json is not used/);
  });

  it('is said of settings of the model', async () => {
    const file = JSON.parse(
      readFileSync(join(examples, 'bert-kjv/tokenizer.json'), 'utf8'),
    ) as Fields;
    const model = { ...(file['model'] as Fields), max_input_chars_per_word: 5 };
    const opened = await open('bert-kjv', { model }, bert);
    assert.match(said(opened), /"max_input_chars_per_word"/);
  });

  it('is not said of files that mean the same', async () => {
    const sparse = {
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false },
    };
    assert.deepEqual((await open('gpt2-kjv', sparse, gpt2)).notes, []);
    const accents = { type: 'BertNormalizer', strip_accents: true, lowercase: true };
    assert.deepEqual((await open('bert-kjv', { normalizer: accents }, bert)).notes, []);
    assert.deepEqual((await open('bert-kjv', {}, bert)).notes, []);
  });
});

describe('what stands around a text', () => {
  const plain = { tokenizer_class: 'PreTrainedTokenizerFast' };
  const cls = { SpecialToken: { id: '[CLS]', type_id: 0 } };
  const sep = { SpecialToken: { id: '[SEP]', type_id: 0 } };
  const a = { Sequence: { id: 'A', type_id: 0 } };
  const special_tokens = { '[CLS]': { id: '[CLS]', ids: [2] }, '[SEP]': { id: '[SEP]', ids: [3] } };
  const template = (...single: object[]) => ({
    type: 'TemplateProcessing',
    single,
    special_tokens,
  });

  it('is what the post-processor says', async () => {
    const around = async (post_processor: unknown): Promise<string> =>
      (await open('bert-kjv', { post_processor }, plain)).around;
    assert.equal(await around(template(cls, a, sep)), '[CLS] … [SEP]');
    assert.equal(await around(template(a, sep)), '… [SEP]');
    assert.equal(
      await around({ type: 'BertProcessing', cls: ['[CLS]', 2], sep: ['[SEP]', 3] }),
      '[CLS] … [SEP]',
    );
    assert.equal(await around({ type: 'ByteLevel', trim_offsets: false }), '');
    assert.equal(await around(null), '');
    const both = { type: 'Sequence', processors: [template(a, sep), template(cls, a)] };
    assert.equal(await around(both), '[CLS] … [SEP]');
  });

  it("is BERT's own for its class, whatever the file says", async () => {
    const opened = await open(
      'bert-kjv',
      { post_processor: null },
      { tokenizer_class: 'BertTokenizer' },
    );
    assert.equal(opened.around, '[CLS] … [SEP]');
    assert.equal(opened.wrapping, '[CLS] … [SEP]');
  });

  it('is the start and end of text where the old files ask for them', async () => {
    const folder = temporaryFolder({
      'vocab.json': '{"<|endoftext|>": 0, "a": 1}',
      'merges.txt': '',
      'tokenizer_config.json': '{"add_bos_token": true}',
    });
    const { around } = await openTokenizer(folder, { set: () => undefined });
    assert.equal(around, '<|endoftext|> …');
  });

  const malformed: unknown[] = [
    'template',
    [],
    {},
    { type: 'TemplateProcessing' },
    { type: 'TemplateProcessing', single: 'x' },
    { type: 'TemplateProcessing', single: [null] },
    { type: 'TemplateProcessing', single: [cls, a], special_tokens: null },
    { type: 'BertProcessing', cls: '[CLS]' },
    { type: 'BertProcessing', cls: ['[CLS]'], sep: [3] },
    { type: 'Sequence' },
    { type: 'Sequence', processors: null },
    { type: 'Sequence', processors: [5] },
  ];
  for (const post_processor of malformed) {
    it(`is refused as ${JSON.stringify(post_processor)}`, async () => {
      const message = await refused(open('bert-kjv', { post_processor }, plain), CorruptFileError);
      assert.match(message, /post-processor/);
    });
  }
});

describe('a Unigram model', () => {
  const config = { tokenizer_class: 'XLMRobertaTokenizer' };
  const four = ['<s>', '<pad>', '</s>', '<unk>'].map(token => [token, 0]);
  const pieces = [...four, ['▁a', -2], ['b', -3]];
  const model = (vocab: unknown, more: Fields = {}): Fields => ({
    model: { type: 'Unigram', unk_id: 3, vocab, ...more },
    added_tokens: [],
    normalizer: null,
  });

  it('takes the likeliest pieces, and one unknown token for what none has', async () => {
    const { encode } = await open('bert-kjv', model(pieces), config);
    assert.deepEqual([...encode('ab')], [4, 5]);
    assert.deepEqual([...encode('a漢字b x')], [4, 3, 5, 3]);
  });

  for (const [what, vocab, expected] of [
    ['no list', { a: 0 }, /no list of pieces/],
    ['no pieces', [], /no list of pieces/],
    ['a piece without a number', [...four, ['a']], /does not give every piece a number/],
    ['an endless piece', [...four, ['a'.repeat(10_000), -1]], /a piece of 10000 characters/],
    ['nothing for what is unknown', four.slice(0, 2), /no piece 3/],
  ] as const) {
    it(`with ${what} is refused`, async () => {
      const opening = open('bert-kjv', model(vocab), config);
      assert.match(await refused(opening, CorruptFileError), expected);
    });
  }

  it('with an unknown piece that it does not have is refused', async () => {
    const opening = open('bert-kjv', model(pieces, { unk_id: 99 }), {});
    assert.match(await refused(opening, CorruptFileError), /"unk_id"/);
  });

  for (const [what, charsmap] of [
    ['cut off', 'AAQAAAAA'],
    ['empty', ''],
    ['no base64', '!!'],
  ] as const) {
    it(`with a map of characters that is ${what} is refused`, async () => {
      const normalizer = { type: 'Precompiled', precompiled_charsmap: charsmap };
      const opening = open('bert-kjv', { ...model(pieces), normalizer }, config);
      assert.match(await refused(opening, CorruptFileError), /no whole map of characters/);
    });
  }

  it('with a map of characters that leads nowhere keeps the text', async () => {
    const bytes = Buffer.alloc(4 + 8, 0xff);
    bytes.writeUInt32LE(8, 0);
    const normalizer = { type: 'Precompiled', precompiled_charsmap: bytes.toString('base64') };
    const { encode } = await open('bert-kjv', { ...model(pieces), normalizer }, config);
    assert.deepEqual([...encode('ab')], [4, 5]);
  });
});
