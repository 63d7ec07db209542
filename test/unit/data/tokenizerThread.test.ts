import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadTokenizer } from '../../../src/data/tokenizer';
import { CorruptFileError, UnsupportedError, type UserError } from '../../../src/errors';
import { examples, temporaryFolder } from './temporary';
import { remedyText } from '../../support/remedyText';

const gpt2 = JSON.parse(readFileSync(join(examples, 'gpt2-kjv/tokenizer.json'), 'utf8')) as Record<
  string,
  unknown
>;
const text = `${'a'.repeat(4000)} and words and words and words and words!`;

/** A folder with the example's tokenizer.json, taken as it stands there but for some fields. */
function folderWith(fields: Record<string, unknown>): string {
  return temporaryFolder({
    'tokenizer.json': JSON.stringify({ ...gpt2, ...fields }),
    'tokenizer_config.json': '{"tokenizer_class": "PreTrainedTokenizerFast"}',
  });
}

/** Less than usual, so that the tests are short. */
const limits = { pattern: 1, answer: 60, megabytes: 32 };

/** What becomes of a text in a folder's tokenizer. */
async function encode(folder: string): Promise<Int32Array> {
  const tokenizer = await loadTokenizer(folder, limits);
  try {
    return await tokenizer.encode(text);
  } finally {
    await tokenizer.close();
  }
}

async function refusal(folder: string): Promise<UserError> {
  let refused: unknown;
  await assert.rejects(encode(folder), (error: unknown) => {
    assert.ok(
      error instanceof CorruptFileError || error instanceof UnsupportedError,
      String(error),
    );
    assert.ok(remedyText(error.remedy).length > 10);
    refused = error;
    return true;
  });
  return refused as UserError;
}

const split = (pattern: string) => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });

describe('a tokenizer that never ends', () => {
  const endless: [string, Record<string, unknown>][] = [
    ['pre-tokenizer', { pre_tokenizer: split('(\\w+\\s?)+$') }],
    ['normalizer', { normalizer: replace({ Regex: '(a*)*b' }, '') }],
    [
      'one of several',
      {
        normalizer: {
          type: 'Sequence',
          normalizers: [{ type: 'NFC' }, replace({ Regex: '(a|aa)+$' }, '')],
        },
      },
    ],
    [
      'normalizer of an added token',
      {
        normalizer: replace({ Regex: '(a+)+$' }, ''),
        added_tokens: [{ id: 0, content: `${'a'.repeat(64)}b`, normalized: true, special: false }],
      },
    ],
  ];
  for (const [what, fields] of endless) {
    it(`is stopped, and its pattern named: ${what}`, async () => {
      const { message } = await refusal(folderWith(fields));
      assert.match(message, /^The pattern ".*" in tokenizer\.json (is matched for|needs more)/);
    });
  }

  it('leaves this thread free while it runs', async () => {
    let turns = 0;
    const turning = setInterval(() => turns++, 10);
    await refusal(folderWith({ normalizer: replace({ Regex: '(a*)*b' }, '') }));
    clearInterval(turning);
    assert.ok(turns > 10, `${turns} turns`);
  });

  it('answers all that is asked after it with the same error', async () => {
    const folder = folderWith({ normalizer: replace({ Regex: '(a*)*b' }, '') });
    const tokenizer = await loadTokenizer(folder, limits);
    const asked = await Promise.allSettled([tokenizer.encode(text), tokenizer.encode('x')]);
    const later = await Promise.allSettled([tokenizer.encode('y')]);
    const reasons = [...asked, ...later].map(one => (one as PromiseRejectedResult).reason as Error);
    assert.equal(new Set(reasons).size, 1);
    assert.match(reasons[0]!.message, /\(a\*\)\*b/);
    await tokenizer.close();
  });

  it('does not matter where it is never used', async () => {
    const folder = folderWith({ decoder: replace({ Regex: '(a*)*b' }, '') });
    assert.ok((await encode(folder)).length > 10);
  });
});

describe('a tokenizer that makes too much', () => {
  const amplifying: [string, unknown][] = [
    ['step by step', Array(40).fill(replace({ String: 'a' }, 'aaaaaaaaaa'))],
    ['at once', [replace({ Regex: '' }, 'x'.repeat(1_000_000))]],
    ['in front', Array(400).fill({ type: 'Prepend', prepend: 'x'.repeat(10_000) })],
  ];
  for (const [how, normalizers] of amplifying) {
    it(`is stopped: ${how}`, async () => {
      const folder = folderWith({ normalizer: { type: 'Sequence', normalizers } });
      assert.match((await refusal(folder)).message, /makes more than 1048576 characters/);
    });
  }

  it('is not read when its file is larger than any', async () => {
    const folder = temporaryFolder({ 'tokenizer.json': ' '.repeat(41 * 1024 * 1024) });
    assert.match((await refusal(folder)).message, /more than any such file/);
  });

  it('is stopped when it needs more memory than any', async () => {
    const vocab = Object.fromEntries(
      Array.from({ length: 150_000 }, (_, id) => [`token${id}`, id]),
    );
    const folder = folderWith({ model: { type: 'WordPiece', vocab } });
    assert.match((await refusal(folder)).message, /needs more than \d+ MB of memory/);
  });
});
