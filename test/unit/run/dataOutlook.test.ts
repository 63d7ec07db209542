import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookAtData } from '../../../src/run/questions/dataOutlook';
import { parameterCounts } from '../../../src/run/questions/parameterCounts';
import { example } from '../../support/fixtures';
import { bertClassifier, labelledVerses } from './support';
import { remedyText } from '../../support/remedyText';

const never = new AbortController().signal;

for (const name of ['gpt2-kjv', 'bert-kjv']) {
  test(`the length that suits ${name} is the one it was trained with`, async () => {
    const question = { checkpoint: example(name), data: example('kjv.txt') };
    const found = await lookAtData({ ...question, sequenceLength: 128 }, { signal: never });
    assert.equal(found.suitableLength, 64);
    assert.equal(found.refusal, undefined);
    const shorter = await lookAtData({ ...question, sequenceLength: 64 }, { signal: never });
    assert.equal(shorter.suitableLength, undefined);
  });
}

test('data of the wrong kind are refused before a run, in words', async () => {
  for (const [checkpoint, data] of [
    ['vit-fmnist', 'kjv.txt'],
    ['gpt2-kjv', 'fashion-mnist'],
    ['gpt2-kjv', 'gpt2-kjv/model.safetensors'],
    ['gpt2-kjv', 'nothing'],
  ] as const) {
    const question = { checkpoint: example(checkpoint), data: example(data) };
    const { refusal } = await lookAtData(question, { signal: never });
    assert.ok(refusal, `${checkpoint} with ${data}`);
    assert.doesNotMatch(remedyText(refusal.remedy), /report it/i);
  }
});

test('a classifier is refused text without labels before a run, and told what it finds in labelled', async () => {
  const checkpoint = await bertClassifier();
  const look = (data: string) => lookAtData({ checkpoint, data }, { signal: never });
  const { refusal } = await look(example('kjv.txt'));
  assert.match(refusal!.message, /no JSON lines.*BertForSequenceClassification learns from labels/);
  const found = await look(labelledVerses(30, index => index % 3));
  assert.equal(found.refusal, undefined);
  assert.equal(found.suitableLength, undefined);
  const said = found.notes.map(({ message }) => message).join('\n');
  assert.match(said, /30 records/);
  // Nobody asked for a number of batches.
  assert.doesNotMatch(said, /batch/);
});

test('looking at data ends when nobody waits for it', async () => {
  const leaving = new AbortController();
  leaving.abort(new Error('left'));
  const question = { checkpoint: example('gpt2-kjv'), data: example('kjv.txt') };
  await assert.rejects(lookAtData(question, { signal: leaving.signal }), /left/);
});

test('parameters are counted for every size that can be, as the plan counts them', async () => {
  const checkpoint = example('bert-kjv');
  const [deeper, smaller, odd] = await parameterCounts({
    checkpoint,
    targets: [{ layers: 6 }, { layers: 1 }, { hidden: 70 }],
  });
  assert.ok(deeper! > 229_248);
  assert.equal(smaller, undefined);
  assert.equal(odd, undefined);
});
