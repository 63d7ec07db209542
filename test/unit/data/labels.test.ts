import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseLabelledText, parseLabelledWords, type LabelRules } from '../../../src/data/labels';
import { BadRecord } from '../../../src/data/records';

const rules = (changes: Partial<LabelRules> = {}): LabelRules => ({
  ...{ modelClass: 'BertForSequenceClassification', of: 'texts' },
  ...{ problem: 'single_label_classification', outputs: 3, names: ['verse', 'title', 'note'] },
  ...changes,
});
const classes = rules();
const several = rules({ problem: 'multi_label_classification' });
const number = rules({ problem: 'regression', outputs: 1, names: ['LABEL_0'] });
const words = rules({ of: 'words' });

const targets = (record: object, by: LabelRules): readonly number[] =>
  parseLabelledText(JSON.stringify(record), by).targets;

function refused(parse: () => unknown, says: RegExp): void {
  assert.throws(parse, (error: unknown) => {
    assert.ok(error instanceof BadRecord, String(error));
    assert.match(error.message, says);
    assert.match(error.remedy, /^[A-Z].*\.$/);
    return true;
  });
}

describe('a labelled text', () => {
  it('is of the class that its label numbers or names', () => {
    assert.deepEqual(targets({ text: 'a', label: 2 }, classes), [2]);
    assert.deepEqual(targets({ sentence: 'a', label: 'title' }, classes), [1]);
    assert.deepEqual(targets({ content: 'a', labels: 'verse' }, classes), [0]);
    // A digit in quotes is a name.
    assert.deepEqual(targets({ text: 'a', label: '1' }, rules({ names: ['1', '0', '2'] })), [0]);
  });

  it('is of several classes by names or by a 0 or a 1 for each', () => {
    assert.deepEqual(targets({ text: 'a', labels: ['note', 'verse'] }, several), [1, 0, 1]);
    assert.deepEqual(targets({ text: 'a', label: [0, 1, 1] }, several), [0, 1, 1]);
    assert.deepEqual(targets({ text: 'a', label: [] }, several), [0, 0, 0]);
  });

  it('has a number, or as many as the model gives', () => {
    assert.deepEqual(targets({ text: 'a', label: -2.5 }, number), [-2.5]);
    const two = rules({ problem: 'regression', outputs: 2 });
    assert.deepEqual(targets({ text: 'a', label: [1, 0.5] }, two), [1, 0.5]);
  });

  for (const [record, by, says] of [
    [{ text: 'a' }, classes, /has no label: no field "label" or "labels"; its fields are text\./],
    [{ text: 'a', label: null }, classes, /has no label/],
    [{ text: 'a', label: 1, labels: 2 }, classes, /has both "label" and "labels"/],
    [{ text: 'a', label: 3 }, classes, /the label 3, which is no class/],
    [{ text: 'a', label: -1 }, classes, /the label -1, which is no class/],
    [{ text: 'a', label: -100 }, classes, /the label -100, which is no class/],
    [{ text: 'a', label: 0.5 }, classes, /the label 0\.5, which is no class/],
    [{ text: 'a', label: true }, classes, /the label true, which is no class/],
    [{ text: 'a', label: 'Verse' }, classes, /"Verse", which is the name of no class/],
    [{ text: 'a', label: 'b' }, rules({ names: ['b', 'b', 'c'] }), /the name of two classes/],
    [{ text: 'a', label: [0, 1, 0] }, classes, /has a list in "label", but/],
    [{ text: 'a', label: 1 }, several, /has no list in "label" but 1/],
    [{ text: 'a', label: [0, 1] }, several, /neither a list of names nor a 0 or a 1/],
    [{ text: 'a', label: [0, 1, 0.5] }, several, /neither a list of names nor a 0 or a 1/],
    [{ text: 'a', label: ['verse', 'psalm'] }, several, /"psalm", which is the name of no class/],
    [{ text: 'a', label: '2' }, number, /has "2" in "label", not a number/],
    [{ text: 'a', label: [1, 2] }, number, /not a number/],
    [{ body: 'a', label: 1 }, classes, /no text in "text", "sentence", "content"; its fields/],
    [{ text: 7, label: 1 }, classes, /has no text in "text", but 7/],
    [{ text: 'a', text_pair: 'b', label: 1 }, classes, /second text in "text_pair"/],
    [{ text: 'a\ud83d', label: 1 }, classes, /half a character/],
  ] as const) {
    it(`is refused as ${JSON.stringify(record)}`, () => {
      refused(() => targets(record, by), says);
    });
  }

  it('is refused where its number has no place in float32', () => {
    refused(() => parseLabelledText('{"text": "a", "label": 1e39}', number), /not a number/);
  });
});

describe('labelled words', () => {
  const parse = (record: object) => parseLabelledWords(JSON.stringify(record), words);

  it('have a class each, or none', () => {
    const { targets: found } = parse({ tokens: ['a', 'b', 'c'], ner_tags: [2, 'title', -100] });
    assert.deepEqual(found, [2, 1, -100]);
  });

  it('have the labels in "labels" where there are several lists', () => {
    const record = { words: ['a'], labels: [1], pos_tags: [0], ner_tags: [2] };
    assert.deepEqual(parse(record).targets, [1]);
  });

  for (const [record, says] of [
    [{ text: 'a', label: 0 }, /has no words in "tokens" or "words"/],
    [{ tokens: 'a b', labels: [0, 1] }, /has no list of words/],
    [{ tokens: ['a'], words: ['a'], labels: [0] }, /has both "tokens" and "words"/],
    [{ tokens: ['a', 'b'], labels: [0] }, /has 2 words in "tokens", but 1 labels/],
    [{ tokens: ['a'] }, /has no labels of its words/],
    [{ tokens: ['a'], pos_tags: [0], ner_tags: [2] }, /in "ner_tags", "pos_tags", and none/],
    [{ tokens: ['a'], labels: [5] }, /the label 5, which is no class/],
  ] as const) {
    it(`are refused as ${JSON.stringify(record)}`, () => refused(() => parse(record), says));
  }
});
