import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Batch } from '../../../src/data/batches';
import { openLabelledBatches, type LabelledBatchOptions } from '../../../src/data/labelledBatches';
import { openLabelledSource } from '../../../src/data/labelledSource';
import type { LabelRules } from '../../../src/data/labels';
import type { TextTokenizer } from '../../../src/data/tokenizer';
import { UnsupportedError, UsageError, UserError } from '../../../src/errors';
import { failure } from '../../support/userError';
import { temporaryFolder } from './temporary';
import { remedyText } from '../../support/remedyText';

const rules: LabelRules = {
  ...{ modelClass: 'BertForSequenceClassification', of: 'texts' },
  ...{ problem: 'single_label_classification', outputs: 2, names: ['even', 'odd'] },
};
const ofWords: LabelRules = { ...rules, of: 'words' };

/** Words as their lengths plus 10, between 1 and 2; a word of more than four letters is two tokens. */
const lengths: TextTokenizer = {
  encode: text =>
    Promise.resolve(
      Int32Array.from(
        (text.match(/\S+/g) ?? []).flatMap(({ length }) =>
          length > 4 ? [14, 10 + length - 4] : [10 + length],
        ),
      ),
    ),
  close: () => Promise.resolve(),
  notes: [],
  vocabularySize: 100,
  leastSize: 100,
  addedIds: new Map(),
  around: '[CLS] … [SEP]',
  aroundIds: { before: [1], after: [2] },
  wrapping: '[CLS] … [SEP]',
  special: { cls: 1, sep: 2, pad: 0 },
  specialIds: new Set([0, 1, 2]),
};

/** Text number n has n words of one letter, so that every text can be told by its length. */
const numbered = (count: number, from = 1): string =>
  Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return `${JSON.stringify({ text: 'a '.repeat(number), label: number % 2 })}\n`;
  }).join('');

async function open(
  content: string,
  options: Partial<LabelledBatchOptions> & { rules?: LabelRules; evaluation?: string } = {},
) {
  const { rules: given = rules, evaluation, ...rest } = options;
  const folder = temporaryFolder({
    'a.jsonl': content,
    ...(evaluation !== undefined && { 'b.jsonl': evaluation }),
  });
  const heldOut =
    evaluation === undefined
      ? undefined
      : { path: 'b.jsonl', source: await openLabelledSource(join(folder, 'b.jsonl'), given) };
  return openLabelledBatches({
    sets: { train: await openLabelledSource(join(folder, 'a.jsonl'), given), heldOut },
    ...{ tokenizer: lengths, batchSize: 4, sequenceLength: 8, seed: 0, reads: 'first' },
    ...{ paddingId: 0, ...rest },
  });
}

/** The texts of a batch without padding, by the mask. */
function textsOf(batch: Batch, length = 8): number[][] {
  const ids = batch['input_ids']!;
  const mask = batch['attention_mask']!;
  return Array.from({ length: ids.length / length }, (_, row) =>
    [...ids.subarray(row * length, (row + 1) * length)].filter(
      (_id, index) => mask[row * length + index] === 1,
    ),
  );
}

describe('batches of labelled texts', () => {
  it('frame every text as transformers does, cut it at its end, and mask what fills it up', async () => {
    const batches = await open(numbered(9), { evaluation: numbered(3, 5), batchSize: 3 });
    const batch = await batches.evaluate(0);
    const word = 11;
    assert.deepEqual(textsOf(batch), [
      [1, word, word, word, word, word, 2],
      [1, ...Array<number>(6).fill(word), 2],
      [1, ...Array<number>(6).fill(word), 2],
    ]);
    assert.deepEqual([...batch['input_ids']!].slice(0, 8), [1, 11, 11, 11, 11, 11, 2, 0]);
    assert.deepEqual([...batch['targets']!], [1, 0, 1]);
    assert.deepEqual([...batch['positions']!], [0, 8, 16]);
    assert.match(batches.notes.map(({ message }) => message).join(), /3 of the texts are longer/);
  });

  it('show each text once an epoch, in an order that seed and step alone decide', async () => {
    const content = numbered(12);
    const batches = await open(content, { sequenceLength: 20, evaluation: numbered(1) });
    const seen = async (source: typeof batches, first: number): Promise<number[]> => {
      const steps = [first, first + 1, first + 2];
      const read = await Promise.all(steps.map(step => source.train(step)));
      return read.flatMap(batch => textsOf(batch, 20).map(ids => ids.length - 2));
    };
    const first = await seen(batches, 0);
    const second = await seen(batches, 3);
    const all = Array.from({ length: 12 }, (_, index) => index + 1);
    for (const epoch of [first, second])
      assert.deepEqual(
        [...epoch].sort((a, b) => a - b),
        all,
      );
    assert.notDeepEqual(first, second);
    const again = await open(content, { sequenceLength: 20, evaluation: numbered(1) });
    assert.deepEqual(await seen(again, 3), second);
    const other = await open(content, { sequenceLength: 20, evaluation: numbered(1), seed: 1 });
    assert.notDeepEqual(await seen(other, 0), first);
  });

  it('count every held-out text once, however many fill the last batch', async () => {
    const batches = await open(numbered(4), { evaluation: numbered(6), sequenceLength: 20 });
    assert.equal(batches.evaluationBatches, 2);
    const last = await batches.evaluate(1);
    assert.deepEqual([...last['weights']!], [0.5, 0.5, 0, 0]);
    const read = [await batches.evaluate(0), last].flatMap(batch =>
      textsOf(batch, 20).filter((_, row) => batch['weights']![row] !== 0),
    );
    assert.deepEqual(
      read.map(ids => ids.length - 2),
      [1, 2, 3, 4, 5, 6],
    );
  });

  it('hold out the same share for every seed, and none of it is learned from', async () => {
    const options = { sequenceLength: 45, batchSize: 2, heldOutFraction: 0.1 };
    const heldOut = async (seed: number) => {
      const batches = await open(numbered(40), { ...options, seed });
      const texts = [await batches.evaluate(0), await batches.evaluate(1)];
      const learned = await Promise.all(
        Array.from({ length: 18 }, (_, step) => batches.train(step)),
      );
      const of = (read: Batch[]) =>
        read.flatMap(batch => textsOf(batch, 45).map(ids => ids.length));
      return { heldOut: of(texts), learned: new Set(of(learned)) };
    };
    const first = await heldOut(0);
    assert.deepEqual((await heldOut(1)).heldOut, first.heldOut);
    assert.equal(first.learned.size, 36);
    assert.ok(first.heldOut.every(text => !first.learned.has(text)));
  });

  it('read the last token that is no padding, wherever the text itself ends in one', async () => {
    const tokenizer = { ...lengths, around: '', aroundIds: { before: [], after: [] } };
    const lines = ['a a a', 'a a aaaa', 'aaaa'].map(text => JSON.stringify({ text, label: 0 }));
    const batches = await open(numbered(2), {
      ...{ evaluation: lines.join('\n'), tokenizer, reads: 'last', paddingId: 14, batchSize: 3 },
    });
    assert.deepEqual([...(await batches.evaluate(0))['positions']!], [2, 8 + 1, 16]);
  });

  it('have as many numbers a text as the model has outputs', async () => {
    const several: LabelRules = { ...rules, problem: 'multi_label_classification' };
    const line = `${JSON.stringify({ text: 'a', label: ['odd'] })}\n`;
    const batches = await open(line.repeat(3), { rules: several, batchSize: 2 });
    assert.deepEqual((await batches.train(0))['targets'], Float32Array.of(0, 1, 0, 1));
  });

  it('label the first token of every word, and nothing else', async () => {
    const record = { tokens: ['aa', 'bbbbbb', 'c', 'd', 'e'], labels: [1, 0, -100, 1, 0] };
    const batches = await open(`${JSON.stringify(record)}\n`.repeat(2), {
      ...{ rules: ofWords, reads: 'all', batchSize: 1 },
    });
    const { input_ids: ids, targets, weights } = await batches.train(0);
    assert.deepEqual([...ids!], [1, 12, 14, 12, 11, 11, 11, 2]);
    assert.deepEqual([...targets!], [0, 1, 0, 0, 0, 1, 0, 0]);
    const counted = [...weights!].map(weight => Number(weight > 0));
    assert.deepEqual(counted, [0, 1, 1, 0, 0, 1, 1, 0]);
  });

  it('refuse sizes that make none', async () => {
    await failure(open(numbered(4), { sequenceLength: 2 }), UsageError, /no room for a text/);
    await failure(open(numbered(4), { batchSize: 0 }), UsageError, /batch size is 0/);
    await failure(open(numbered(1)), UserError, /only one labelled text/);
    const unlabelled = { tokens: ['a'], labels: [-100] };
    const batches = await open(`${JSON.stringify(unlabelled)}\n`.repeat(8), {
      ...{ rules: ofWords, reads: 'all' },
    });
    await failure(batches.train(0), UserError, /No token of a whole batch/);
  });
});

describe('a source of labelled texts', () => {
  const source = (files: Record<string, string>, name = '') =>
    openLabelledSource(join(temporaryFolder(files), name), rules);
  const said = async (files: Record<string, string>, name = ''): Promise<string> =>
    (await source(files, name)).notes.map(({ message }) => message).join('\n');

  it('says which fields are read, of how many records, and which are not', async () => {
    const lines = [
      { id: 1, text: 'a', label: 0 },
      { id: 2, sentence: 'b', label: 1 },
    ];
    const content = lines.map(line => JSON.stringify(line)).join('\n');
    assert.match(
      await said({ 'a.jsonl': content }, 'a.jsonl'),
      /"text" with "label" of 1 record and "sentence" with "label" of 1 record; other fields are not read \(id\)/,
    );
  });

  it('says which classes have no text, and which has nearly all', async () => {
    const line = '{"text": "a", "label": "even"}\n';
    const notes = await said({ 'a.jsonl': line.repeat(10) }, 'a.jsonl');
    assert.match(notes, /1 class of the model's 2 is in no label: odd/);
    assert.match(notes, /100 % of the texts are of the class even/);
    assert.doesNotMatch(await said({ 'a.jsonl': numbered(10) }, 'a.jsonl'), /class/);
  });

  it('names the file and the line of what cannot be learned', async () => {
    const broken = `${numbered(3)}{"text": "a", "label": 7}\n`;
    await failure(
      source({ 'a.jsonl': broken }, 'a.jsonl'),
      UserError,
      /^a\.jsonl, line 4: has the label 7/,
    );
    const unlabelled = `${numbered(2)}\n{"text": "a"}\n`;
    await failure(source({ 'a.jsonl': unlabelled }), UserError, /^a\.jsonl, line 4: has no label/);
  });

  it('refuses text without labels, and says how a table becomes records', async () => {
    const text = await failure(
      source({ 'a.txt': 'In the beginning\n' }),
      UnsupportedError,
      /labels/,
    );
    assert.match(remedyText(text.remedy), /JSON lines/);
    const table = source({ 'a.csv': 'text,label\na,1\n' }, 'a.csv');
    const { remedy } = await failure(table, UnsupportedError, /a\.csv is no JSON lines/);
    assert.match(remedyText(remedy), /pandas\.read_csv/);
  });

  it('refuses a folder that holds what to learn from and what to evaluate on', async () => {
    const files = { 'train.jsonl': numbered(4), 'validation.jsonl': numbered(2) };
    const { remedy } = await failure(source(files), UserError, /parts of one set/);
    assert.match(remedyText(remedy), /--eval-data/);
  });

  it('reads any record again from its place, over several files', async () => {
    const files = { 'a.jsonl': `\uFEFF${numbered(3)}`, 'b.jsonl': `\n${numbered(3, 4)}` };
    const opened = await source(files);
    assert.equal(opened.count, 6);
    for (const index of [5, 0, 3, 2]) {
      assert.equal((await opened.read(index)).text, 'a '.repeat(index + 1));
    }
  });
});
