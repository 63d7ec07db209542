import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UnsupportedError } from '../../../src/errors';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow } from '../../../src/run/grow/grow';
import { inspect } from '../../../src/inspect/inspect';
import { train } from '../../../src/run/train/train';
import { defaultTrainSettings } from '../../../src/run/settings';
import { readSafetensors, type FixtureTensor } from '../../support/safetensors';
import {
  bertClassifier,
  bible,
  editConfig,
  failure,
  randomTensor,
  recorded,
  shortSettings,
  temporaryFolder,
  withTensors,
} from './support';
import { remedyText } from '../../support/remedyText';

/** The GPT-2 example with tensors of a class that nobody knows. */
async function unknownHead(): Promise<string> {
  const folder = await withTensors('gpt2-kjv', () => ({ 'crf.transitions': randomTensor(3, 3) }));
  return editConfig(folder, { architectures: ['GPT2CrfForNER'] });
}

const grown = async (checkpoint: string, dropHead = false) => {
  const out = join(temporaryFolder(), 'out');
  const receipt = await grow(recorded().context, {
    ...{ checkpoint, out, method: 'net2net', seed: 0, settings: shortSettings(1) },
    target: { hidden: 128, heads: 8, ...(dropHead && { dropHead }) },
  });
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as {
    architectures: string[];
    id2label: unknown;
  };
  return { receipt, config, tensors: readSafetensors(join(out, 'model.safetensors')) };
};

const rowSums = ({ shape, data }: FixtureTensor): number[] => {
  const columns = shape[1]!;
  const sums = new Array<number>(shape[0]!).fill(0);
  for (const [index, value] of data.entries()) sums[Math.floor(index / columns)]! += value;
  return sums;
};

test('a classifier grows with the model: its classes stay, what it reads is widened', async () => {
  const source = await bertClassifier();
  const small = readSafetensors(join(source, 'model.safetensors'));
  const { receipt, config, tensors } = await grown(source);
  assert.deepEqual(config.architectures, ['BertForSequenceClassification']);
  assert.deepEqual(config.id2label, { 0: 'verse', 1: 'title', 2: 'note' });
  assert.equal(receipt.target.modelClass, 'BertForSequenceClassification');
  assert.deepEqual(tensors.get('classifier.weight')!.shape, [3, 128]);
  assert.deepEqual(tensors.get('bert.pooler.dense.weight')!.shape, [128, 128]);
  assert.deepEqual(tensors.get('classifier.bias'), small.get('classifier.bias'));
  // Copies of a unit share what the unit counted for.
  const expected = rowSums(small.get('classifier.weight')!);
  rowSums(tensors.get('classifier.weight')!).forEach((sum, row) =>
    assert.ok(Math.abs(sum - expected[row]!) < 1e-4),
  );
  assert.deepEqual(receipt.warnings, []);
});

test('a classifier is not scored or trained on the loss of a language model', async () => {
  const checkpoint = await bertClassifier();
  await failure(
    evaluateCheckpoint(recorded().context, { checkpoint, data: bible }),
    UnsupportedError,
    /kjv\.txt is no JSON lines.* a BertForSequenceClassification learns from labels/,
  );
});

test('tensors that nothing knows stop what would lose them, and say how to go on', async () => {
  const checkpoint = await unknownHead();
  const { notes } = await inspect(checkpoint);
  assert.match(notes.map(({ message }) => message).join(), /crf\.transitions/);
  const lost = /without crf\.transitions, which is no part of a GPT2LMHeadModel/;
  const error = await failure(grown(checkpoint), UnsupportedError, lost);
  assert.match(remedyText(error.remedy), /--drop-head/);
  const training = train(recorded().context, {
    ...{ checkpoint, data: bible, out: join(temporaryFolder(), 'out'), seed: 0 },
    settings: { ...defaultTrainSettings, steps: 1, warmup: 0 },
  });
  await failure(training, UnsupportedError, lost);
});

test('with --drop-head the class that is really written is named, and the receipt says what is gone', async () => {
  const { receipt, config, tensors } = await grown(await unknownHead(), true);
  assert.deepEqual(config.architectures, ['GPT2LMHeadModel']);
  assert.deepEqual(receipt.dropped, ['crf.transitions']);
  assert.match(receipt.warnings.join('\n'), /"GPT2CrfForNER".*GPT2LMHeadModel/);
  assert.ok(!tensors.has('crf.transitions'));
});
