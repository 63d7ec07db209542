import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openCorpus } from '../../../src/data/corpus';
import { blockBytes } from '../../../src/data/lines';
import { splitText } from '../../../src/data/splitText';
import { examples, temporaryFolder } from './temporary';

const kjv = join(examples, 'kjv.txt');

/** All lines of a corpus in order, as texts. */
async function allLines(path: string): Promise<{ start: number; end: number; text: string }[]> {
  const corpus = await openCorpus(path);
  const lines = [];
  for (let at = 0; at < corpus.bytes;) {
    const line = await corpus.lineAt(at);
    lines.push({ start: line.start, end: line.end, text: await line.text() });
    at = line.end;
  }
  return lines;
}

describe('lines of a corpus', () => {
  it('are the lines of the file, whichever byte of them is asked for', async () => {
    const expected = readFileSync(kjv, 'utf8').split('\n').slice(0, -1);
    const lines = await allLines(kjv);
    assert.deepEqual(
      lines.map(({ text }) => text),
      expected,
    );
    const corpus = await openCorpus(kjv);
    for (const { start, end } of lines.filter((_, index) => index % 997 === 0)) {
      for (const at of [start, start + 1, end - 1]) {
        assert.equal((await corpus.lineAt(at)).start, start);
        assert.equal((await corpus.lineAt(at)).end, end);
      }
    }
  });

  it('run on from file to file in the order of their names, in every folder', async () => {
    const folder = temporaryFolder({
      'b.txt': 'four\r\nfive',
      'a/z.md': '\uFEFFone\ntwo\n',
      'a.txt': 'three\n',
      'c.jsonl': '{"text": "six\\nand a half"}\n\n{"content": "seven"}',
      'empty.txt': '',
      'picture.png': 'no text',
      '.hidden/x.txt': 'hidden',
    });
    assert.deepEqual(
      (await allLines(folder)).map(({ text }) => text),
      ['one', 'two', 'three', 'four', 'five', 'six\nand a half', '', 'seven'],
    );
  });

  it('run on through links, but into no folder twice', async () => {
    const outside = temporaryFolder({ 'linked.txt': 'linked\n', 'deep/x.txt': 'deep\n' });
    const folder = temporaryFolder({ 'a.txt': 'open\n' });
    symlinkSync(outside, join(folder, 'link'));
    symlinkSync(outside, join(folder, 'link2'));
    symlinkSync(join(outside, 'linked.txt'), join(folder, 'b.txt'));
    symlinkSync(folder, join(folder, 'circle'));
    symlinkSync(join(folder, 'gone'), join(folder, 'nowhere.txt'));
    assert.deepEqual(
      (await allLines(folder)).map(({ text }) => text),
      ['open', 'linked', 'deep', 'linked'],
    );
    const { notes } = await openCorpus(folder);
    assert.equal(notes.length, 1);
    assert.match(
      notes[0]!.message,
      /3 entries .* circle \(link to a folder that is read already\), link2 \(.*\), nowhere\.txt \(broken link\)/,
    );
  });

  it('are cut where they are overlong, between characters, wherever the search begins', async () => {
    const long = '€µx'.repeat(70_000); // 6 bytes each: 420,000 bytes without a line feed
    const folder = temporaryFolder({ 'a.txt': `short\n${long}\nlast\n` });
    const lines = await allLines(folder);
    assert.equal(
      lines
        .map(({ text }) => text)
        .join('|')
        .replaceAll('|', ''),
      `short${long}last`,
    );
    assert.ok(!lines.some(({ text }) => text.includes('\uFFFD')));
    assert.ok(
      lines.length > 4 && lines.every(({ start, end }) => end - start < 2 * blockBytes + 4),
    );
    const corpus = await openCorpus(folder);
    for (const { start, end } of lines) {
      for (const at of [start, start + 1, start + 2, (start + end) >> 1, end - 3, end - 1]) {
        if (at < start || at >= end) continue;
        const found = await corpus.lineAt(at);
        assert.deepEqual([found.start, found.end], [start, end], `byte ${at}`);
      }
    }
  });

  it('are found at every byte around the edges of blocks', async () => {
    const folder = temporaryFolder({
      'a.txt': `${'a'.repeat(blockBytes - 1)}\n${'b'.repeat(blockBytes)}\n${'c'.repeat(3 * blockBytes)}`,
    });
    const lines = await allLines(folder);
    const corpus = await openCorpus(folder);
    assert.equal(
      lines.map(({ text }) => text).join('').length,
      7 * blockBytes - 1 - 2 * blockBytes,
    );
    for (let edge = blockBytes; edge < corpus.bytes; edge += blockBytes) {
      for (let at = edge - 3; at < Math.min(edge + 3, corpus.bytes); at++) {
        const { start, end } = await corpus.lineAt(at);
        assert.ok(lines.some(line => line.start === start && line.end === end));
        assert.ok(start <= at && at < end);
      }
    }
  });

  it('are never cut in .jsonl, where a record may be long', async () => {
    const text = 'word '.repeat(60_000);
    const folder = temporaryFolder({
      'a.jsonl': `{"text": "first"}\n${JSON.stringify({ text })}\n{"text": "last"}`,
    });
    const lines = await allLines(folder);
    assert.deepEqual(
      lines.map(line => line.text),
      ['first', text, 'last'],
    );
    assert.equal((await (await openCorpus(folder)).lineAt(200_000)).start, lines[1]!.start);
  });
});

describe('pieces of a long text', () => {
  it('join to the text and respect line feeds, spaces and surrogate pairs', () => {
    const texts = [
      '',
      'short',
      'a b '.repeat(20),
      'line\n'.repeat(20),
      '🦉'.repeat(33),
      'x'.repeat(50),
    ];
    for (const text of texts) {
      const pieces = splitText(text, 15);
      assert.equal(pieces.join(''), text);
      assert.ok(pieces.every(piece => piece.length <= 15));
      assert.ok(pieces.every(piece => !/^[\udc00-\udfff]/.test(piece)));
    }
    assert.deepEqual(splitText('one two three', 9), ['one two', ' three']);
    assert.deepEqual(splitText('one two\nthree', 10), ['one two\n', 'three']);
  });
});
