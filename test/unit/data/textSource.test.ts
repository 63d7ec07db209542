import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { blockBytes } from '../../../src/data/lines';
import { readBytes, type ReadBytes } from '../../../src/data/sourceFiles';
import { openTextSource, type TextSourceOptions } from '../../../src/data/textSource';
import { loadTokenizer, type TextTokenizer } from '../../../src/data/tokenizer';
import { UsageError, UserError } from '../../../src/errors';
import { examples, temporaryFolder } from './temporary';
import { remedyText } from '../../support/remedyText';

const kjv = join(examples, 'kjv.txt');

/** One id a UTF-16 unit, so that windows can be read back. */
const letters: TextTokenizer = {
  encode: text =>
    Promise.resolve(Int32Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))),
  close: () => Promise.resolve(),
  notes: [],
  vocabularySize: 65_536,
  leastSize: 65_536,
  addedIds: new Map(),
  around: '',
  aroundIds: { before: [], after: [] },
  wrapping: '',
  special: {},
  specialIds: new Set(),
};
const spell = (ids: Int32Array): string => String.fromCharCode(...ids);

const openLetters = (path: string, options: Partial<TextSourceOptions> = {}) =>
  openTextSource({ path, tokenizer: letters, windowTokens: 16, ...options });

describe('windows of text', () => {
  it('are stretches of the training part, full, and the same for the same seed and step', async () => {
    const source = await openLetters(kjv, { windowTokens: 100 });
    const text = readFileSync(kjv, 'utf8').slice(0, source.trainBytes);
    const again = await openLetters(kjv, { windowTokens: 100 });
    const seen = new Set<string>();
    for (let step = 199; step >= 0; step--) {
      const window = spell(await source.trainWindow(5, step, step % 3));
      assert.ok((text + text.slice(0, 100)).includes(window));
      assert.equal(window.length, 100);
      assert.equal(spell(await again.trainWindow(5, step, step % 3)), window);
      seen.add(window);
    }
    assert.equal(seen.size, 200);
    const other = await source.trainWindow(6, 0, 0);
    assert.notDeepEqual(other, await source.trainWindow(5, 0, 0));
    assert.notDeepEqual(await source.trainWindow(5, 0, 1), await source.trainWindow(5, 0, 0));
  });

  it('start at every token about equally often', async () => {
    const folder = temporaryFolder({ 'a.txt': `${'a'.repeat(7)}\n${'b'.repeat(31)}\nheld\n` });
    const source = await openLetters(folder, { windowTokens: 1, heldOutFraction: 0.05 });
    let first = 0;
    for (let step = 0; step < 4000; step++) {
      if (spell(await source.trainWindow(0, step, 0)) !== 'b') first++;
    }
    // 8 letters of the first line and the second line's feed, of 40.
    assert.ok(Math.abs(first / 4000 - 9 / 40) < 0.03, String(first / 4000));
  });

  it('never reach into the held-out part, and held-out windows never out of it', async () => {
    const lines = Array.from(
      { length: 400 },
      (_, index) => `${index < 380 ? 'train' : 'HELD_'} ${String(index).padStart(3, '0')}\n`,
    );
    const folder = temporaryFolder({ 'a.txt': lines.join('') });
    const source = await openLetters(folder, { heldOutFraction: 20 / 400 });
    assert.match(source.description.heldOut, /^the last \d+ of \d+ bytes, from byte \d+ on$/);
    for (let step = 0; step < 2000; step++) {
      assert.doesNotMatch(spell(await source.trainWindow(0, step, 0)), /[HELD]/);
    }
    let wrapped = 0;
    for (let index = 0; index < 50; index++) {
      const window = spell(await source.heldOutWindow(index, 50));
      assert.doesNotMatch(window, /[train]/);
      if (/\n/.test(window) && window.indexOf('399') >= 0) wrapped++;
    }
    assert.ok(wrapped > 0);
  });

  it('wrap around to the start of their part', async () => {
    const folder = temporaryFolder({ 'a.txt': '0123456789\nheld out line\n' });
    const source = await openLetters(folder, { windowTokens: 11, heldOutFraction: 0.5 });
    for (let step = 0; step < 30; step++) {
      const window = spell(await source.trainWindow(0, step, 0));
      assert.ok('0123456789\n0123456789\n'.includes(window), window);
    }
  });

  it('are evenly spaced where held out, from the first token of the part on', async () => {
    const source = await openLetters(kjv, { windowTokens: 50 });
    const text = readFileSync(kjv, 'utf8');
    const heldOut = text.slice(text.length - source.heldOutBytes);
    const starts = [];
    for (let index = 0; index < 20; index++) {
      starts.push(
        (heldOut + heldOut.slice(0, 50)).indexOf(spell(await source.heldOutWindow(index, 20))),
      );
    }
    assert.deepEqual(
      starts,
      Array.from({ length: 20 }, (_, index) => Math.floor((index / 20) * heldOut.length)),
    );
    assert.ok(Math.abs(heldOut.length / text.length - 0.05) < 0.001);
    assert.equal(text[text.length - source.heldOutBytes - 1], '\n');
  });

  it('put between lines what they are told to', async () => {
    const folder = temporaryFolder({ 'a.txt': 'abc\n\ndef\n', 'b.jsonl': '{"text":"gh\\ni"}\n' });
    const evaluationPath = folder;
    const window = async (separator: 'newline' | 'none' | number[]) =>
      spell(
        await (
          await openLetters(folder, { evaluationPath, windowTokens: 8, separator })
        ).heldOutWindow(0, 1),
      );
    assert.equal(await window('newline'), 'abc\n\ndef');
    assert.equal(await window('none'), 'abcdefgh');
    assert.equal(await window([33, 63]), 'abc!?def');
    const all = await openLetters(folder, { evaluationPath, windowTokens: 12, separator: [33] });
    assert.equal(spell(await all.heldOutWindow(0, 1)), 'abc!def!gh\ni');
  });

  it('take a separate text to evaluate on', async () => {
    const folder = temporaryFolder({
      'train.txt': 'train '.repeat(9),
      'test.txt': 'TEST '.repeat(9),
    });
    const source = await openLetters(join(folder, 'train.txt'), {
      evaluationPath: join(folder, 'test.txt'),
    });
    assert.match(spell(await source.heldOutWindow(1, 3)), /^[TES \n]+$/);
    assert.equal(source.trainBytes, 54);
    assert.equal(source.description.heldOut, 'separate text: test.txt');
    assert.deepEqual(
      source.description.files.map(({ name }) => name),
      ['train.txt', 'evaluation: test.txt'],
    );
  });

  it('go on through an overlong line without losing or adding a character', async () => {
    const letter = (index: number): string => String.fromCharCode(0x4e00 + index);
    const text = Array.from({ length: 150_000 }, (_, index) => letter(index % 20_000)).join('');
    const folder = temporaryFolder({ 'a.txt': text });
    for (const separator of ['newline', [33]] as const) {
      const source = await openLetters(folder, { windowTokens: 6000, separator });
      for (let step = 0; step < 20; step++) {
        const window = await source.trainWindow(1, step, 0);
        let jumps = 0;
        for (let at = 1; at < window.length; at++) {
          const follows = (window[at - 1]! - 0x4e00 + 1) % 20_000 === window[at]! - 0x4e00;
          if (!follows) jumps++;
        }
        // Only the wrap from the end of the part to its start is a jump.
        assert.ok(jumps <= 1, `${jumps} jumps in step ${step}`);
      }
    }
  });
});

describe('text of any size', () => {
  it('is read once whole and never held: then a 200 MB file costs what its windows cost', async () => {
    const folder = temporaryFolder({ 'big.txt': '' });
    const path = join(folder, 'big.txt');
    const size = 200 * 1024 * 1024;
    truncateSync(path, size);
    const line = Buffer.from(`${'the quick brown fox '.repeat(9)}\n`);
    let bytesRead = 0;
    const read: ReadBytes = async (_, position, length) => {
      bytesRead += length;
      const start = position % line.length;
      return Buffer.alloc(start + length, line).subarray(start);
    };
    const source = await openLetters(path, { windowTokens: 64, read });
    assert.equal(source.description.hashed, 'sampled');
    const opening = bytesRead;
    assert.ok(opening >= size, `${opening} bytes to open`);
    assert.ok(opening < size + 20 * 1024 * 1024, `${opening} bytes to open`);
    for (let step = 0; step < 100; step++) await source.trainWindow(0, step, 0);
    assert.ok(bytesRead - opening <= 100 * 3 * blockBytes, `${bytesRead - opening} bytes`);
  });

  it('is read once when small: later epochs come from memory', async () => {
    let reads = 0;
    const read: ReadBytes = (...where) => {
      reads++;
      return readBytes(...where);
    };
    const tokenizer = await loadTokenizer(join(examples, 'gpt2-kjv'));
    const source = await openTextSource({ path: kjv, tokenizer, windowTokens: 64, read });
    for (let step = 0; step < 1500; step++) await source.trainWindow(0, step, 0);
    const warm = reads;
    for (let step = 0; step < 1500; step++) await source.trainWindow(1, step, 0);
    assert.ok(reads - warm < 5, `${reads - warm} reads`);
  });

  it('is told apart by its hash', async () => {
    const folder = temporaryFolder({ 'a.txt': 'one line of text\nand another one\n' });
    const hash = async (): Promise<string> =>
      (await openLetters(folder, { heldOutFraction: 0.4, windowTokens: 4 })).description.sha256;
    const before = await hash();
    assert.equal(await hash(), before);
    writeFileSync(join(folder, 'a.txt'), 'one line of text\nand another ONE\n');
    assert.notEqual(await hash(), before);
  });
});

describe('what is wrong with a text', () => {
  let many: string;
  before(() => {
    many = 'a line of text\n'.repeat(50);
  });

  async function refused(
    files: Record<string, string | Uint8Array>,
    message: RegExp,
    options: Partial<TextSourceOptions> = {},
    path = '.',
  ): Promise<void> {
    const folder = temporaryFolder(files);
    await assert.rejects(openLetters(join(folder, path), options), (error: unknown) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      assert.ok(remedyText(error.remedy).length > 10);
      return true;
    });
  }

  it('is said: no such path', () => refused({}, /no file or folder/, {}, 'missing.txt'));
  it('is said: an empty file', () => refused({ 'a.txt': '' }, /is empty/, {}, 'a.txt'));
  it('is said: a folder of empty files', () => refused({ 'a.txt': '' }, /is empty/));
  it('is said: an empty folder', () => refused({}, /holds no \.txt/));
  it('is said: no text in the folder', () =>
    refused(
      { 'a.parquet': 'x', 'b.png': 'y' },
      /no \.txt.*only 1 × \.parquet \(a\.parquet\), 1 × \.png/,
    ));
  it('is said: a binary file', () =>
    refused({ 'a.txt': Uint8Array.of(80, 75, 3, 4, 0, 0) }, /a\.txt is not text/));
  it('is said: text in another encoding', () =>
    refused({ 'a.txt': Buffer.from(`${many}café`, 'latin1') }, /not UTF-8/));
  it('is said: too little to train on', () =>
    refused({ 'a.txt': 'ab\ncd\n' }, /training part .* only 3 tokens; one window needs 16/));
  it('is said: too little held out', () =>
    refused({ 'a.txt': many }, /held-out part .* one window needs 400/, { windowTokens: 400 }));
  it('is said: a single line', () => refused({ 'a.txt': 'one line' }, /single line/));
  it('is said: a record that is not JSON, with its line', () =>
    refused({ 'a.jsonl': '{"text":"x"}\n\n{"text": x}\n' }, /a\.jsonl, line 3: is not JSON/));
  it('is said: a record without text, with its line', () =>
    refused(
      { 'd/a.jsonl': '{"text":"x"}\n{"txt":"y"}\n' },
      /d\/a\.jsonl, line 2: has no field "text"/,
    ));
  it('is said: a record that is no object', () =>
    refused({ 'a.jsonl': '"x"\n' }, /line 1: has no field/));
  it('is said: only blank lines', () =>
    refused({ 'a.txt': '\n'.repeat(100) }, /only 0 tokens/, { separator: 'none' }));
  it('is said: a share that is none', async () => {
    for (const heldOutFraction of [0, 1, -1, Number.NaN]) {
      await assert.rejects(openLetters(kjv, { heldOutFraction }), UsageError);
    }
  });
  it('is said: a missing text to evaluate on', () =>
    refused({ 'a.txt': many }, /no file or folder .*gone/, { evaluationPath: '/gone' }));

  it('is said when a file shrinks during the run', async () => {
    const folder = temporaryFolder({ 'a.txt': many.repeat(1000) });
    const path = join(folder, 'a.txt');
    const source = await openLetters(path);
    truncateSync(path, 100);
    source.close();
    await assert.rejects(
      async () => {
        for (let step = 0; step < 50; step++) await source.trainWindow(0, step, 0);
      },
      { name: 'UserError', message: /became shorter/ },
    );
  });

  it('is said: a bad byte far inside, with its place', async () => {
    const bytes = Buffer.from(many.repeat(200));
    bytes[100_000] = 0x92;
    await refused(
      { 'sub/a.txt': bytes },
      /^sub\/a\.txt is not UTF-8 text: 0x92 in line 6,667, byte 100,000\.$/,
    );
  });
  it('is said: a bad byte that comes while the run reads', async () => {
    const folder = temporaryFolder({ 'a.txt': many.repeat(1000) });
    const path = join(folder, 'a.txt');
    const source = await openLetters(path);
    writeFileSync(path, Buffer.alloc(many.length * 1000, Uint8Array.of(0xe9, 0x20, 0x0a)));
    source.close();
    await assert.rejects(source.trainWindow(0, 0, 0), {
      name: 'UserError',
      message: /a\.txt is not UTF-8 text any more/,
    });
  });
});
