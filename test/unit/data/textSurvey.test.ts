import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openCorpus } from '../../../src/data/corpus';
import { surveyText } from '../../../src/data/textSurvey';
import { UserError } from '../../../src/errors';
import { temporaryFolder } from './temporary';
import { remedyText } from '../../support/remedyText';

type Content = string | Uint8Array;

const verse = (index: number): string => `And the word number ${index} was spoken in the city.`;
const records = (count: number): string =>
  Array.from({ length: count }, (_, id) => `${JSON.stringify({ id, text: verse(id) })}\n`).join('');

/** What a file is taken for, and what is said about it. */
async function survey(name: string, content: Content) {
  const folder = temporaryFolder({ [name]: content });
  const { files, notes } = await surveyText(join(folder, name));
  return { format: files[0]!.format, notes: notes.map(({ message }) => message) };
}

async function refusal(files: Record<string, Content>, name = ''): Promise<UserError> {
  const folder = temporaryFolder(files);
  try {
    await surveyText(join(folder, name));
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.ok(remedyText(error.remedy).length > 10);
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

async function texts(path: string): Promise<string[]> {
  const corpus = await openCorpus(path);
  const found: string[] = [];
  for (let at = 0; at < corpus.bytes;) {
    const line = await corpus.lineAt(at);
    found.push(await line.text());
    at = line.end;
  }
  return found;
}

describe('JSON lines', () => {
  const names = ['a.jsonl', 'a.json', 'a.ndjson', 'a.txt', 'a.md', 'a.data', 'a', 'A.JSON'];

  it('are known by what they hold, whatever the file is called', async () => {
    const folder = temporaryFolder(Object.fromEntries(names.map(name => [name, records(40)])));
    for (const name of names) {
      const found = await texts(join(folder, name));
      assert.deepEqual(
        found,
        Array.from({ length: 40 }, (_, id) => verse(id)),
        name,
      );
    }
  });

  it('say which field is learned and which are not', async () => {
    const { notes } = await survey('a.json', records(3));
    assert.deepEqual(notes, [
      'a.json is read as JSON lines: the field "text" of 3 records is learned; their other fields are not (id).',
    ]);
    const other = await survey(
      'a.txt',
      '{"content":"a"}\n{"text":"b","content":"c"}\n{"text":""}\n',
    );
    assert.match(other.notes[0]!, /"text" of 2 records and the field "content" of 1 record/);
    assert.match(other.notes[1]!, /1 record has an empty text/);
  });

  it('may have a mark, blank lines, carriage returns and no last line feed', async () => {
    const content = '\uFEFF\n \r\n{"text":"one"}\r\n\r\n{"text":"two"}';
    for (const name of ['a.jsonl', 'a.json', 'a']) {
      const folder = temporaryFolder({ [name]: content });
      const found = await texts(join(folder, name));
      assert.deepEqual(
        found.filter(text => text !== ''),
        ['one', 'two'],
        name,
      );
    }
  });

  it('may be longer than what a file is recognised by', async () => {
    const long = JSON.stringify({ text: 'word '.repeat(50_000) });
    assert.equal((await survey('a.json', `${long}\n${long}\n`)).format, 'records');
    assert.equal((await survey('a.txt', long)).format, 'records');
  });

  it('name the line that does not fit', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [`${records(30)}plain text\n`, /^a\.json, line 31: is not JSON/],
      [`${records(3)}{"txt":"x","title":"y"}\n`, /line 4: has no field "text" .* are txt, title/],
      [`${records(3)}["x"]\n`, /line 4: .* it is no object/],
      [`${records(3)}{"text":"half \\ud83d"}\n`, /line 4: has half a character/],
      [`${records(3)}{"text":null}\n`, /line 4: has no field "text"/],
      [`${records(3)}{"text":7}\n`, /line 4: has no field "text"/],
      [`${records(3)}{"text":"cut o`, /line 4: is not JSON/],
      ['{"verse":"In the beginning"}\n{"verse":"God"}\n', /line 1: .* are verse\./],
    ];
    for (const [content, message] of cases) {
      assert.match((await refusal({ 'a.json': content }, 'a.json')).message, message);
    }
  });

  it('are told from other JSON, which is refused by name with what makes JSON lines of it', async () => {
    const values = Array.from({ length: 20 }, (_, id) => ({ id, text: verse(id) }));
    const cases: readonly (readonly [string, RegExp, RegExp])[] = [
      [JSON.stringify(values), /one JSON array of 20 values/, /jq -c '\.\[\]' "a\.x"/],
      [JSON.stringify(values, null, 2), /one JSON array/, /jq/],
      [`[\n${values.map(value => JSON.stringify(value)).join(',\n')}\n]\n`, /one JSON array/, /jq/],
      [
        JSON.stringify({ data: values }, null, 1),
        /one JSON object .* records in data/,
        /\."data"\[\]/,
      ],
      [
        values.map(({ text }) => `${JSON.stringify([text])}\n`).join(''),
        /a JSON array in each line/,
        /jq/,
      ],
      [
        values.map(({ text }) => `{'text': '${text}'}\n`).join(''),
        /Python dictionaries/,
        /json\.dumps/,
      ],
    ];
    for (const extension of ['json', 'txt', 'jsonl']) {
      for (const [content, message, remedy] of cases) {
        const name = `a.${extension}`;
        const error = await refusal({ [name]: content }, name);
        assert.match(error.message, message);
        assert.match(remedyText(error.remedy).replaceAll(name, 'a.x'), remedy);
      }
    }
    const commas = values.map(value => `${JSON.stringify(value)},\n`).join('');
    assert.match((await refusal({ 'a.txt': commas }, 'a.txt')).message, /20 of its 20 lines look/);
    const headed = `id and text\n${records(20)}`;
    assert.match((await refusal({ 'a.txt': headed }, 'a.txt')).message, /20 of its 21 lines look/);
  });

  it('are not seen in text with braces and brackets, but a few such lines are said', async () => {
    const prose = 'a line of text\n'.repeat(40);
    for (const start of ['{', '[1] a footnote', '[1]', '{"', '[link](x)', '{\n  int x;\n}', '{}']) {
      assert.deepEqual(await survey('a.txt', `${start}\n${prose}`), { format: 'lines', notes: [] });
    }
    const { format, notes } = await survey('a.md', `${prose}{"text": "x"}\n{"text": "y"},\n`);
    assert.equal(format, 'lines');
    assert.match(notes[0]!, /2 lines look like JSON and are learned as text/);
    assert.match((await survey('a.json', prose)).notes[0]!, /no JSON, though it is called so/);
  });
});

describe('the encoding of a text', () => {
  const ascii = 'a line of text\n'.repeat(200_000);
  const late = (bytes: readonly number[], before = ascii): Uint8Array =>
    Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from('\nand so on\n')]);
  const cases: readonly (readonly [string, Content, RegExp, RegExp])[] = [
    [
      'Windows-1252 after three million bytes',
      late([0x92]),
      /not UTF-8 text: 0x92 in line 200,001, byte 3,000,000/,
      /iconv -f WINDOWS-1252 -t UTF-8 "a\.txt"/,
    ],
    ['Latin-1', late([0x63, 0xe9]), /0xe9 in line 200,001, byte 3,000,001/, /iconv/],
    [
      'a stray byte among UTF-8',
      late([0xff], `é ${ascii}`),
      /not UTF-8 throughout: 0xff/,
      /Repair/,
    ],
    ['an overlong form', late([0xc0, 0x80]), /0xc0/, /iconv/],
    ['half a character, encoded', late([0xed, 0xa0, 0xbd]), /0xed/, /iconv/],
    [
      'a file that is cut off',
      Buffer.from(`${ascii}€`).subarray(0, -1),
      /byte 3,000,000/,
      /cut off there/,
    ],
    [
      'a file of UTF-8 that is cut off',
      Buffer.from(`€${ascii}€`).subarray(0, -1),
      /is cut off: .*line 200,001/,
      /whole file/,
    ],
    [
      'a late zero byte',
      late([0]),
      /contains zero bytes \(line 200,001, byte 3,000,000\)/,
      /tr -d/,
    ],
    [
      'UTF-16 with a mark',
      Buffer.from('\uFEFFsome text\n', 'utf16le'),
      /not UTF-8 text but UTF-16LE/,
      /iconv -f UTF-16LE/,
    ],
    [
      'UTF-16 without one',
      Buffer.from('some text\n'.repeat(9), 'utf16le'),
      /looks like UTF-16LE/,
      /iconv -f UTF-16LE/,
    ],
    [
      'the other UTF-16',
      Buffer.from('some text\n'.repeat(9), 'utf16le').swap16(),
      /looks like UTF-16BE/,
      /UTF-16BE/,
    ],
    [
      'its mark alone',
      Buffer.from('\uFEFFsome text\n', 'utf16le').swap16(),
      /but UTF-16BE/,
      /UTF-16BE/,
    ],
  ];
  for (const [what, content, message, remedy] of cases) {
    it(`is checked to the end: ${what}`, async () => {
      const error = await refusal({ 'a.txt': content }, 'a.txt');
      assert.match(error.message, message);
      assert.match(remedyText(error.remedy), remedy);
    });
  }

  it('is checked in JSON lines and in every file of a folder', async () => {
    const bad = Buffer.concat([
      Buffer.from(records(20_000)),
      Buffer.from('{"text":"caf\xe9"}\n', 'latin1'),
    ]);
    const error = await refusal({ 'a.txt': ascii, 'sub/b.json': bad });
    assert.match(error.message, /^sub\/b\.json is not UTF-8 text: 0xe9 in line 20,001/);
  });

  it('is right where characters lie across the pieces that are read', async () => {
    for (const shift of [0, 1, 2, 3]) {
      const content = `${'x'.repeat(shift)}${'€🦉é'.repeat(400_000)}`;
      assert.equal((await survey('a.txt', content)).format, 'lines');
    }
  });

  it('is said where an earlier conversion lost letters, and where lines end in returns', async () => {
    const lossy = await survey('a.txt', 'caf\uFFFD and na\uFFFDve\nsecond line\n');
    assert.match(lossy.notes.join(), /2 replacement characters \(U\+FFFD\) stand .* \(a\.txt\)/);
    const old = await survey('a.txt', 'one\rtwo\rthree\r');
    assert.match(old.notes.join(), /no line feeds, so it counts as a single line/);
    assert.deepEqual((await survey('a.txt', 'one\r\ntwo\r\n')).notes, []);
  });
});

describe('what is no text', () => {
  const cases: readonly (readonly [string, Uint8Array, RegExp, RegExp])[] = [
    ['a.txt', gzipSync('text'), /not text but gzip-compressed/, /gunzip/],
    ['a.jsonl.gz', gzipSync(records(2)), /gzip-compressed/, /gunzip/],
    ['a.zst', Buffer.from('28b52ffd0458', 'hex'), /Zstandard/, /zstd -d/],
    ['a.bz2', Buffer.from('425a683931415926535900ff', 'hex'), /bzip2/, /bunzip2/],
    ['a.parquet', Buffer.from('PAR1\0\0'), /a Parquet table/, /read_parquet/],
    ['a.zip', Buffer.from('504b030414', 'hex'), /a ZIP archive/, /unzip/],
    ['a.txt', Buffer.from('%PDF-1.7\n'), /a PDF document/, /pdftotext/],
    ['a', Buffer.from('89504e470d0a1a0a', 'hex'), /a PNG image/, /text/],
  ];
  for (const [name, content, message, remedy] of cases) {
    it(`is called what it is: ${name}, ${String(message)}`, async () => {
      const error = await refusal({ [name]: content }, name);
      assert.match(error.message, message);
      assert.match(remedyText(error.remedy), remedy);
    });
  }

  it('is named in a folder, each kind once, so that nothing is dropped without a word', async () => {
    const folder = temporaryFolder({
      'a.txt': 'text\n',
      'b.csv': 'x,y\n',
      'c.csv': 'x,y\n',
      shard: 'more text\n',
      'deep/d.jsonl.gz': gzipSync('x'),
      'empty.txt': '',
      '.secret.txt': 'hidden',
      '.git/config': '[core]',
      'meta.json': '{\n "name": "corpus"\n}\n',
    });
    execFileSync('mkfifo', [join(folder, 'pipe.txt')]);
    mkdirSync(join(folder, 'nothing'));
    const { files, notes } = await surveyText(folder);
    assert.deepEqual(
      files.map(({ name }) => name),
      ['a.txt'],
    );
    const said = notes.map(({ message }) => message.replace(folder, 'F'));
    assert.deepEqual(said, [
      'Files in F that are no .txt, .md, .json or .jsonl were left out: 2 × .csv (b.csv, c.csv), 1 × .gz (deep/d.jsonl.gz), 1 × no extension (shard).',
      'Hidden files and folders in F were left out: .secret.txt.',
      '1 entry of F cannot be read and was left out: pipe.txt (no regular file).',
      '1 file is empty: empty.txt.',
      'Left out, since only JSON lines are read: meta.json is one JSON object over several lines, not JSON lines.',
    ]);
    assert.match(
      (await refusal({ shard_00: 'text\n' })).message,
      /only 1 × no extension \(shard_00\)/,
    );
    assert.match((await refusal({ '.a.txt': 'text\n' })).message, /only \.a\.txt \(hidden\)/);
    await assert.rejects(surveyText(join(folder, 'pipe.txt')), /no regular file but a pipe/);
  });

  it('is a table of which all columns would be learned: that is said', async () => {
    assert.match((await survey('a.csv', 'id,text\n1,one\n')).notes.join(), /a\.csv is a table/);
  });
});
